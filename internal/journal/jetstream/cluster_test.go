package jetstream_test

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"faultline/internal/journal"
	"faultline/internal/journal/jetstream"
	"faultline/internal/journal/journaltest"
)

// natsServer runs a server as an operator would beside us, on a loopback port.
func natsServer(t *testing.T) string {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true, JetStream: true, StoreDir: t.TempDir(), SyncAlways: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not start")
	}
	return s.ClientURL()
}

func TestContractOverTheNetwork(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) journaltest.Opener {
		url := natsServer(t)
		return func(t *testing.T) journal.Journal { return mustOpen(t, jetstream.Options{URL: url}) }
	})
}

func TestPartitionsAreApart(t *testing.T) {
	o := options(t.TempDir())
	o.Partitions = 3
	j := mustOpen(t, o)
	defer j.Close()
	for p := range uint16(3) {
		for range p + 1 {
			obs := journaltest.Report(int(p))
			obs.Position.Partition = p
			if err := j.Append(t.Context(), obs); err != nil || obs.Position.Partition != p {
				t.Fatalf("partition %d: %s, %v", p, obs.Position, err)
			}
		}
	}
	for p := range uint16(3) {
		if info, err := j.Info(t.Context(), p); err != nil || info.Last != uint64(p)+1 {
			t.Errorf("partition %d: %+v, %v", p, info, err)
		}
	}
}

func TestAServerThatIsNotThereIsAnErrorThatNamesIt(t *testing.T) {
	if _, err := jetstream.Open(t.Context(), jetstream.Options{URL: "nats://127.0.0.1:1"}); err == nil {
		t.Error("connected to nothing")
	}
}
