package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Folder is a data folder that this process owns until Close. Its lock is the
// kernel's (flock), so it ends with the process however that dies; what the
// lock file says is for people and for other commands.
type Folder struct {
	Dir  string
	lock *os.File
}

// Owner is who runs on a data folder, as written in its lock file.
type Owner struct {
	PID     int    `json:"pid"`
	Address string `json:"address,omitempty"` // "http://127.0.0.1:8080", once it listens
}

// InUseError says that another process owns the folder.
type InUseError struct {
	Dir   string
	Owner Owner
}

// Error says who owns the folder and what to do about it.
func (e *InUseError) Error() string {
	if e.Owner.Address != "" {
		return fmt.Sprintf("data folder %s is in use by process %d at %s: talk to it with --url %s, or choose another --data", e.Dir, e.Owner.PID, e.Owner.Address, e.Owner.Address)
	}
	return fmt.Sprintf("data folder %s is in use by process %d: wait until it ends, or choose another --data", e.Dir, e.Owner.PID)
}

// TakeFolder makes the folder if it is new and takes its lock, or fails with
// an InUseError at once.
func TakeFolder(dir string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w: choose another place with --data", err)
	}
	f, err := os.OpenFile(lockPath(dir), os.O_RDWR|os.O_CREATE, 0o600)
	if errors.Is(err, fs.ErrPermission) {
		return nil, notOurs(dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open lock of data folder: %w: choose another place with --data", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, &InUseError{Dir: dir, Owner: readOwner(dir)}
		}
		return nil, fmt.Errorf("lock data folder %s: %w", dir, err)
	}
	folder := &Folder{Dir: dir, lock: f}
	return folder, folder.write(Owner{PID: os.Getpid()})
}

// notOurs says that this user may not use a folder.
func notOurs(dir string) error {
	owner := "another user"
	if info, err := os.Stat(dir); err == nil {
		if st, ok := info.Sys().(*syscall.Stat_t); ok {
			owner = fmt.Sprintf("user %d", st.Uid)
			if u, err := user.LookupId(fmt.Sprint(st.Uid)); err == nil {
				owner = "user " + u.Username
			}
		}
	}
	return fmt.Errorf("data folder %s may not be used by this user, it belongs to %s: run this as that user, ask a running faultline with --url, or choose another --data", dir, owner)
}

// Announce writes the address at which this process can be asked.
func (f *Folder) Announce(address string) error {
	return f.write(Owner{PID: os.Getpid(), Address: address})
}

func (f *Folder) write(o Owner) error {
	b, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if err := f.lock.Truncate(0); err != nil {
		return fmt.Errorf("write lock of data folder: %w", err)
	}
	if _, err := f.lock.WriteAt(append(b, '\n'), 0); err != nil {
		return fmt.Errorf("write lock of data folder: %w", err)
	}
	return nil
}

// Close gives the folder free.
func (f *Folder) Close() error {
	return errors.Join(f.lock.Truncate(0), f.lock.Close())
}

// Path is a path inside the folder.
func (f *Folder) Path(parts ...string) string {
	return filepath.Join(append([]string{f.Dir}, parts...)...)
}

// RunningOn says who owns a folder now; ok is false if nobody does.
func RunningOn(dir string) (o Owner, ok bool) {
	f, err := os.Open(lockPath(dir))
	if err != nil {
		return Owner{}, false
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err == nil {
		return Owner{}, false // free: the lock is let go with the file
	}
	return readOwner(dir), true
}

func readOwner(dir string) (o Owner) {
	if b, err := os.ReadFile(lockPath(dir)); err == nil {
		_ = json.Unmarshal(b, &o) // an unreadable note only makes the message poorer
	}
	return o
}

func lockPath(dir string) string { return filepath.Join(dir, "lock") }

// DefaultDir is where data lives if nobody says otherwise: the user's state
// folder (XDG base directory specification).
func DefaultDir(getenv func(string) string) (string, error) {
	if d := getenv("FAULTLINE_DATA"); d != "" {
		return d, nil
	}
	if d := getenv("XDG_STATE_HOME"); d != "" {
		return filepath.Join(d, "faultline"), nil
	}
	if d := getenv("HOME"); d != "" {
		return filepath.Join(d, ".local", "state", "faultline"), nil
	}
	return "", errors.New("no place for data is known (HOME is not set): name one with --data or FAULTLINE_DATA")
}
