package report

import (
	"testing"
	"time"

	"faultline"
)

// The queue of keys is cut now and then; what it holds must stay the newest.
func TestTheNewestKeysStayThroughManyOthers(t *testing.T) {
	x := newReceipts(100)
	for i := uint64(1); i <= 5000; i++ {
		x.remember(&faultline.Report{Service: "x", Key: i}, faultline.Position{Frame: i}, t0.Add(time.Duration(i)*time.Second))
		if x.len() != int(min(i, 100)) {
			t.Fatalf("after %d keys %d are kept", i, x.len())
		}
		if oldest := max(1, int64(i)-99); x.known[uint64(oldest)].n != 1 || x.known[i].n != 1 {
			t.Fatalf("after %d keys the newest hundred are not there", i)
		}
	}
	if len(x.order)-x.head != 100 || len(x.order) > 4096 {
		t.Errorf("queue of %d from %d", len(x.order), x.head)
	}
}

// A batch whose records do not lie in a row still gives all its ids.
func TestIDsOfABatchMayLieApart(t *testing.T) {
	x := newReceipts(10)
	want := []faultline.Position{{Frame: 1, Index: 998}, {Frame: 1, Index: 999}, {Frame: 2}, {Frame: 2, Index: 1}}
	r := &faultline.Report{Service: "x", Key: 7}
	var sum uint32
	for range 2 { // the second time nothing is new
		for _, at := range want {
			x.remember(r, at, t0)
		}
	}
	for range want {
		sum = x.sum(sum, r)
	}
	got, err := x.begin(t.Context(), 7, sum, len(want), t0)
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("id %d is %v, want %v", i, got[i], want[i])
		}
	}
}
