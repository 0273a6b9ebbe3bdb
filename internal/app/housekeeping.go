package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/store"
	"faultline/internal/telemetry"
)

// keeper archives closed hours, trims the journal, prunes the store and
// watches the disk budget. Nothing leaves the journal before it is in the
// archive.
type keeper struct {
	journal journal.Journal
	store   store.Store
	folder  *Folder
	config  KeepConfig
	log     *slog.Logger
	now     func() time.Time
	m       *keeperMetrics
	used    atomic.Int64 // bytes of the data folder at the last look
	full    atomic.Bool
	pruned  time.Time
}

// KeepConfig says how long things are kept, and how much room they may take.
type KeepConfig struct {
	// BudgetGB is how much disk the data folder may use; at 90 % of it the
	// intake answers 503 until there is room again.
	BudgetGB float64 `yaml:"budget_gb"`
	// JournalReports, JournalMeasurements and JournalOthers are how long the
	// journal keeps what is in the archive already.
	JournalReports      time.Duration `yaml:"journal_reports"`
	JournalMeasurements time.Duration `yaml:"journal_measurements"`
	JournalOthers       time.Duration `yaml:"journal_others"`
	// ArchiveReports is how long raw reports stay in the archive.
	ArchiveReports time.Duration `yaml:"archive_reports"`
	// Rows is how long rows stay in the store.
	Rows store.Retention `yaml:"rows"`
}

// DefaultKeepConfig is what DESIGN says.
func DefaultKeepConfig() KeepConfig {
	const day = 24 * time.Hour
	return KeepConfig{
		BudgetGB: 20, JournalReports: 7 * day, JournalMeasurements: 3 * day, JournalOthers: 7 * day,
		ArchiveReports: 365 * day, Rows: store.DefaultRetention(),
	}
}

// An hour is closed when no late report can reach it any more.
const closedAfter = time.Hour

// errDiskBudget is why the intake refuses.
var errDiskBudget = errors.New("the disk budget of this observatory is used up")

// admit is asked before a report is taken.
func (k *keeper) admit() error {
	if k.full.Load() {
		return errDiskBudget
	}
	return nil
}

// run looks at the disk every ten seconds and keeps house every five minutes.
func (k *keeper) run(ctx context.Context) error {
	look, keep := time.NewTicker(10*time.Second), time.NewTicker(5*time.Minute)
	defer look.Stop()
	defer keep.Stop()
	k.look()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
			k.look()
		case <-keep.C:
			if err := k.keep(ctx); err != nil && ctx.Err() == nil {
				k.m.failed.Inc()
				k.log.Error("housekeeping failed, will try again", slog.Any("error", err))
			}
		}
	}
}

// look measures the data folder against its budget.
func (k *keeper) look() {
	var sum int64
	//nolint:errcheck // a file that vanished while we looked takes no room
	filepath.WalkDir(k.folder.Dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				sum += info.Size()
			}
		}
		return nil
	})
	k.used.Store(sum)
	k.m.used.Set(float64(sum))
	budget := k.config.BudgetGB * 1e9
	full := float64(sum) >= 0.9*budget
	if full != k.full.Swap(full) {
		k.log.Warn("disk budget", slog.Bool("full", full), slog.Int64("used_bytes", sum), slog.Float64("budget_bytes", budget))
	}
}

// keep archives, then trims and prunes what is safe in the archive.
func (k *keeper) keep(ctx context.Context) error {
	now := k.now().UTC()
	hours, err := k.store.Hours(ctx)
	if err != nil {
		return err
	}
	closed := now.Add(-closedAfter).Truncate(time.Hour)
	for _, h := range hours {
		if !h.Before(closed) || h.Before(now.Add(-48*time.Hour)) && k.isArchived(h) {
			continue
		}
		m, err := k.store.Archive(ctx, k.folder.Path("archive"), h)
		if err != nil {
			return err
		}
		if m.Written {
			k.log.Info("archived", slog.Time("hour", h), slog.Int("revision", m.Revision))
			k.m.archived.Inc()
		}
	}
	if err := k.trim(ctx, now, closed); err != nil {
		return err
	}
	if now.Sub(k.pruned) < 24*time.Hour {
		return nil
	}
	k.pruned = now
	if err := k.store.Prune(ctx, k.config.Rows, now); err != nil || k.config.ArchiveReports <= 0 {
		return err
	}
	_, err = k.store.PruneArchive(ctx, k.folder.Path("archive"), now.Add(-k.config.ArchiveReports))
	return err
}

// isArchived says whether an hour has a manifest. Hours of the last two days
// are looked at again in any case, since late rows can change them.
func (k *keeper) isArchived(hour time.Time) bool {
	m, err := filepath.Glob(k.folder.Path("archive", "date="+hour.Format(time.DateOnly), "hour="+hour.Format("15"), "manifest.json"))
	return err == nil && len(m) == 1
}

// trim drops from the journal what is archived and older than its time.
func (k *keeper) trim(ctx context.Context, now, closed time.Time) error {
	for kind, age := range map[faultline.Kind]time.Duration{
		faultline.KindReport: k.config.JournalReports, faultline.KindMeasurement: k.config.JournalMeasurements,
		faultline.KindHeartbeat: k.config.JournalOthers, faultline.KindCommand: k.config.JournalOthers,
	} {
		before := now.Add(-age)
		if before.After(closed) {
			before = closed
		}
		frame, err := k.store.FirstFrameAt(ctx, partition, before)
		if err != nil {
			return err
		}
		if frame < 2 {
			continue
		}
		if err := k.journal.Trim(ctx, partition, kind, frame); err != nil {
			return fmt.Errorf("trim journal: %w", err)
		}
	}
	return nil
}

// keeperMetrics says what housekeeping did and how full the disk is.
type keeperMetrics struct {
	used     prometheus.Gauge
	archived prometheus.Counter
	failed   prometheus.Counter
}

func newKeeperMetrics(r prometheus.Registerer) *keeperMetrics {
	return &keeperMetrics{
		used:     telemetry.Gauge(r, "disk", "used_bytes", "Size of the data folder."),
		archived: telemetry.Counter(r, "archive", "hours_total", "Hours written to the archive."),
		failed:   telemetry.Counter(r, "housekeeping", "failures_total", "Rounds of housekeeping that failed; they are tried again."),
	}
}
