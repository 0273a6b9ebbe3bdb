package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/klauspost/compress/s2"
	"google.golang.org/protobuf/encoding/protowire"
	"pgregory.net/rapid"

	"faultline"
	"faultline/internal/journal"
	"faultline/internal/journal/journaltest"
)

var sameAddress = cmpopts.EquateComparable(netip.AddrPort{})

// What a record may hold. Times are in whole microseconds, as the journal keeps
// them, and any of them may be the zero time or 1970.
var (
	times = rapid.Custom(func(t *rapid.T) time.Time {
		if rapid.Bool().Draw(t, "zero") {
			return time.Time{}
		}
		return time.UnixMicro(rapid.Int64Range(-1<<55, 1<<55).Draw(t, "µs")).UTC()
	})
	durations = rapid.Custom(func(t *rapid.T) faultline.Seconds { return faultline.Seconds(rapid.Int64().Draw(t, "ns")) })
	counts    = rapid.Custom(func(t *rapid.T) int { return int(rapid.Int32().Draw(t, "n")) })
	places    = rapid.Custom(func(t *rapid.T) faultline.Place {
		return faultline.Place{Country: faultline.Country(rapid.String().Draw(t, "country")), ASN: faultline.ASN(rapid.Uint32().Draw(t, "asn"))}
	})
	addresses = rapid.Custom(func(t *rapid.T) netip.AddrPort {
		texts := []string{"", "192.0.2.1:443", "[2001:db8::1]:53", "[fe80::1%eth0]:80", "[::ffff:192.0.2.1]:0"}
		a, _ := netip.ParseAddrPort(rapid.SampledFrom(texts).Draw(t, "address"))
		return a
	})
	steps = rapid.Custom(func(t *rapid.T) faultline.Step {
		return faultline.Step{
			Op: faultline.Op(rapid.String().Draw(t, "op")), Hop: counts.Draw(t, "hop"), T0: durations.Draw(t, "t0"),
			Runtime: durations.Draw(t, "runtime"), Address: addresses.Draw(t, "address"), Failure: faultline.Failure(rapid.String().Draw(t, "failure")),
		}
	})
)

func draw[T ~string](t *rapid.T, label string) T { return T(rapid.String().Draw(t, label)) }

func payload(t *rapid.T, kind faultline.Kind) faultline.Payload {
	switch kind {
	case faultline.KindReport:
		return &faultline.Report{
			Service: draw[faultline.ServiceID](t, "service"), Symptom: draw[faultline.Symptom](t, "symptom"), Surface: draw[faultline.Surface](t, "surface"),
			Works: rapid.Bool().Draw(t, "works"), Since: times.Draw(t, "since"), Place: places.Draw(t, "place"),
			Reporter: rapid.Uint64().Draw(t, "reporter"), Network: rapid.Uint64().Draw(t, "network"), Key: rapid.Uint64().Draw(t, "key"),
		}
	case faultline.KindMeasurement:
		return &faultline.Measurement{
			Service: draw[faultline.ServiceID](t, "service"), Target: draw[string](t, "target"), Probe: draw[string](t, "probe"),
			Vantage: faultline.Vantage{ID: draw[string](t, "vantage"), Network: draw[string](t, "network"), Place: places.Draw(t, "place")},
			Attempt: counts.Draw(t, "attempt"), Due: times.Draw(t, "due"), Start: times.Draw(t, "start"),
			Runtime: durations.Draw(t, "runtime"), Interval: durations.Draw(t, "interval"), Steps: stepsOf(t),
			Status: counts.Draw(t, "status"), Bytes: rapid.Int64().Draw(t, "bytes"), Failure: draw[faultline.Failure](t, "failure"),
			ReadLate: durations.Draw(t, "late"), HasReadLate: rapid.Bool().Draw(t, "has"), Impaired: draw[faultline.Impairment](t, "impaired"),
		}
	case faultline.KindHeartbeat:
		return &faultline.Heartbeat{Collector: draw[string](t, "collector"), From: times.Draw(t, "from")}
	default:
		return &faultline.Command{
			Operator: draw[string](t, "operator"), Action: draw[faultline.Action](t, "action"), Incident: draw[string](t, "incident"),
			Into: draw[string](t, "into"), Service: draw[faultline.ServiceID](t, "service"), Text: draw[string](t, "text"),
		}
	}
}

func stepsOf(t *rapid.T) []faultline.Step {
	if s := rapid.SliceOfN(steps, 0, 4).Draw(t, "steps"); len(s) > 0 {
		return s
	}
	return nil
}

func TestEveryFieldOfEveryKindComesBack(t *testing.T) {
	kinds := []faultline.Kind{faultline.KindReport, faultline.KindMeasurement, faultline.KindHeartbeat, faultline.KindCommand}
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom(kinds).Draw(t, "kind")
		in := make([]*faultline.Observation, rapid.IntRange(1, 5).Draw(t, "count"))
		want := &journal.Frame{Partition: 3, Number: 42, Kind: kind}
		for i := range in {
			in[i] = &faultline.Observation{
				At: times.Draw(t, "at"), Received: times.Draw(t, "received"), Payload: payload(t, kind),
				Origin: rapid.SampledFrom([]faultline.Origin{faultline.Measured, faultline.Reconstructed, faultline.Simulated}).Draw(t, "origin"),
			}
			want.Records = append(want.Records, *in[i])
			want.Records[i].Position = faultline.Position{Partition: 3, Frame: 42, Index: uint16(i)}
			if i == 0 || in[i].At.Before(want.MinAt) {
				want.MinAt = in[i].At
			}
			if i == 0 || in[i].At.After(want.MaxAt) {
				want.MaxAt = in[i].At
			}
		}
		b, err := journal.EncodeFrame(3, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := journal.DecodeFrame(42, b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, sameAddress); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestWhatCannotComeBackTheSameIsRefused(t *testing.T) {
	report := journaltest.Report(1)
	odd := *report
	odd.Origin = "guessed"
	empty := *report
	empty.Payload = nil
	none := *report
	none.Payload = (*faultline.Report)(nil)
	long := *report
	long.Payload = &faultline.Command{Text: strings.Repeat("a", journal.MaxRecord)}
	for name, obs := range map[string][]*faultline.Observation{
		"an origin that nobody knows":   {&odd},
		"no payload":                    {&empty},
		"a nil payload":                 {&none},
		"no observation":                {nil},
		"two kinds":                     {report, journaltest.Heartbeat()},
		"more records than a frame has": make([]*faultline.Observation, journal.MaxRecords+1),
		"a record larger than allowed":  {&long},
		"nothing":                       {},
	} {
		if _, err := journal.EncodeFrame(0, obs); !errors.Is(err, journal.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestAnObservationWithoutAnOriginWasMeasured(t *testing.T) {
	o := journaltest.Report(1)
	o.Origin = ""
	f := mustDecode(t, mustEncode(t, o))
	if got := f.Records[0].Origin; got != faultline.Measured {
		t.Errorf("origin %q", got)
	}
}

func TestEveryChangedBitIsNoticed(t *testing.T) {
	b := mustEncode(t, journaltest.Report(1), journaltest.Report(2))
	for i := range 8 * len(b) {
		bad := bytes.Clone(b)
		bad[i/8] ^= 1 << (i % 8)
		if _, err := journal.DecodeFrame(1, bad); !errors.Is(err, journal.ErrCorrupt) {
			t.Fatalf("bit %d of byte %d: %v", i%8, i/8, err)
		}
	}
}

func TestEveryShortenedFrameIsNoticed(t *testing.T) {
	b := mustEncode(t, journaltest.Report(1), journaltest.Report(2))
	for n := range b {
		if _, err := journal.DecodeFrame(1, b[:n]); !errors.Is(err, journal.ErrCorrupt) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
}

// raw makes a frame with a right checksum around any body.
func raw(kind byte, count uint16, body []byte) []byte {
	return rawPacked(kind, count, s2.Encode(nil, body))
}

func rawPacked(kind byte, count uint16, packed []byte) []byte {
	b := make([]byte, 30, 30+len(packed))
	copy(b, "FLJF")
	b[4], b[5] = 1, kind
	binary.BigEndian.PutUint16(b[8:], count)
	b = append(b, packed...)
	table := crc32.MakeTable(crc32.Castagnoli)
	binary.BigEndian.PutUint32(b[26:], crc32.Update(crc32.Checksum(b[:26], table), table, b[30:]))
	return b
}

func TestAFieldOfALaterVersionIsSkipped(t *testing.T) {
	var report, record []byte
	report = protowire.AppendTag(report, 1, protowire.BytesType)
	report = protowire.AppendString(report, "x")
	report = protowire.AppendTag(report, 900, protowire.Fixed32Type)
	report = protowire.AppendFixed32(report, 7)
	record = protowire.AppendTag(record, 99, protowire.BytesType)
	record = protowire.AppendString(record, "what is this")
	record = protowire.AppendTag(record, 10, protowire.BytesType)
	record = protowire.AppendBytes(record, report)
	f := mustDecode(t, raw(1, 1, protowire.AppendBytes(nil, record)))
	if got := f.Records[0].Payload.(*faultline.Report).Service; got != "x" {
		t.Errorf("service %q", got)
	}
}

func TestABodyThatDoesNotFitItsHeaderIsCorrupt(t *testing.T) {
	heartbeat := protowire.AppendBytes(nil, []byte{12<<3 | 2, 0})
	for name, b := range map[string][]byte{
		"a kind that nobody knows":        raw(9, 1, heartbeat),
		"kind 0":                          raw(0, 1, heartbeat),
		"a heartbeat in a report's frame": raw(1, 1, heartbeat),
		"more records than there are":     raw(3, 2, heartbeat),
		"fewer records than there are":    raw(3, 0, heartbeat),
		"a record without payload":        raw(3, 1, []byte{0}),
		"many records in an empty body":   raw(3, 65535, nil),
		"a body that claims 4 GB":         rawPacked(3, 1, []byte{0xff, 0xff, 0xff, 0xff, 0x0f, 0}),
	} {
		if _, err := journal.DecodeFrame(1, b); !errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAFrameTakesRecordsUntilItIsFull(t *testing.T) {
	one, err := journal.Encode([]*faultline.Observation{journaltest.Report(1)})
	if err != nil {
		t.Fatal(err)
	}
	var b journal.Batch
	if !b.Fits(1, journal.MaxRecord) {
		t.Error("an empty frame has no room for a large record")
	}
	for b.Fits(one.Count, one.Size()) {
		b.Join(one)
	}
	if b.Count != journal.MaxRecords || b.Fits(1, 1) {
		t.Errorf("full at %d records", b.Count)
	}
	b.Reset()
	b.Join(one)
	if b.Fits(1, journal.MaxBytes) {
		t.Error("a frame takes more bytes than it may have")
	}
}

func mustEncode(t testing.TB, obs ...*faultline.Observation) []byte {
	t.Helper()
	b, err := journal.EncodeFrame(0, obs)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustDecode(t testing.TB, b []byte) *journal.Frame {
	t.Helper()
	f, err := journal.DecodeFrame(1, b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// FuzzDecodeFrame takes a body and makes the checksum right, so that the fuzzer
// gets past it; what is read must be written and read again the same.
func FuzzDecodeFrame(f *testing.F) {
	for kind, o := range map[byte]*faultline.Observation{1: journaltest.Report(1), 2: journaltest.Measurement(), 3: journaltest.Heartbeat(), 4: journaltest.Command()} {
		body, err := s2.Decode(nil, mustEncode(f, o)[30:])
		if err != nil {
			f.Fatal(err)
		}
		f.Add(kind, uint16(1), body)
		f.Add(kind, uint16(2), append(body, body...))
	}
	f.Fuzz(func(t *testing.T, kind byte, count uint16, body []byte) {
		frame, err := journal.DecodeFrame(7, raw(kind, count, body))
		if err != nil || len(frame.Records) == 0 {
			return
		}
		var again []*faultline.Observation
		for i := range frame.Records {
			again = append(again, &frame.Records[i])
		}
		b, err := journal.EncodeFrame(0, again)
		if errors.Is(err, journal.ErrInvalid) && count > journal.MaxRecords {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		back, err := journal.DecodeFrame(7, b)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(frame.Records, back.Records, sameAddress, cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// FuzzDecodeFrameBytes takes any bytes at all.
func FuzzDecodeFrameBytes(f *testing.F) {
	f.Add(mustEncode(f, journaltest.Report(1)))
	f.Add([]byte("FLJF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := journal.DecodeFrame(1, b); err != nil && !errors.Is(err, journal.ErrCorrupt) {
			t.Errorf("an error of another kind: %v", err)
		}
	})
}

func thousand() []*faultline.Observation {
	obs := make([]*faultline.Observation, journal.MaxRecords)
	for i := range obs {
		obs[i] = journaltest.Report(i)
	}
	return obs
}

func BenchmarkEncodeFrame(b *testing.B) {
	obs := thousand()
	b.ReportAllocs()
	for b.Loop() {
		mustEncode(b, obs...)
	}
	b.ReportMetric(float64(b.N*len(obs))/b.Elapsed().Seconds(), "records/s")
}

func BenchmarkDecodeFrame(b *testing.B) {
	frame := mustEncode(b, thousand()...)
	b.ReportAllocs()
	for b.Loop() {
		mustDecode(b, frame)
	}
	b.ReportMetric(float64(b.N*journal.MaxRecords)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(len(frame))/journal.MaxRecords, "B/record")
}
