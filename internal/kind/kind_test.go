package kind_test

import (
	"errors"
	"strings"
	"testing"

	"faultline/internal/kind"
)

type settings struct{ N int }

func table() kind.Table[int, int] {
	double := kind.Of("double", "Doubles.", settings{N: 2}, func(d int, c settings) (int, error) { return d * c.N, nil })
	return kind.Table[int, int]{double}
}

func TestOpenUsesDefaultsAndThenTheConfiguration(t *testing.T) {
	if got, err := table().Open("double", 21, nil); err != nil || got != 42 {
		t.Errorf("with defaults: %d, %v; want 42", got, err)
	}
	got, err := table().Open("double", 21, func(into any) error { into.(*settings).N = 3; return nil })
	if err != nil || got != 63 {
		t.Errorf("configured: %d, %v; want 63", got, err)
	}
	if got, _ := table().Open("double", 21, nil); got != 42 {
		t.Errorf("defaults changed by an earlier call: %d", got)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	if _, err := table().Open("treble", 1, nil); err == nil || !strings.Contains(err.Error(), `"treble" (known: double)`) {
		t.Errorf("unknown kind: %v", err)
	}
	bad := errors.New("line 3: what is this")
	if _, err := table().Open("double", 1, func(any) error { return bad }); !errors.Is(err, bad) || !strings.HasPrefix(err.Error(), "double: ") {
		t.Errorf("bad settings: %v", err)
	}
}
