package app

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

func TestOnlyOneProcessOwnsAFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	if _, running := RunningOn(dir); running {
		t.Fatal("somebody runs on a folder that does not exist")
	}
	first, err := TakeFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Announce("http://127.0.0.1:8080"); err != nil {
		t.Fatal(err)
	}
	var inUse *InUseError
	if _, err := TakeFolder(dir); !errors.As(err, &inUse) {
		t.Fatalf("second taker got %v, want InUseError", err)
	}
	if !strings.Contains(inUse.Error(), "--url http://127.0.0.1:8080") {
		t.Errorf("the error does not say how to reach the owner: %v", inUse)
	}
	if o, running := RunningOn(dir); !running || o.Address != "http://127.0.0.1:8080" {
		t.Errorf("RunningOn = %+v, %v", o, running)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	if o, running := RunningOn(dir); running {
		t.Errorf("still owned by %+v after Close", o)
	}
	again, err := TakeFolder(dir)
	if err != nil {
		t.Fatalf("taking a free folder: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

func TestDefaultDir(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want string
	}{
		"the environment wins":          {map[string]string{"FAULTLINE_DATA": "/a", "XDG_STATE_HOME": "/b", "HOME": "/c"}, "/a"},
		"then the state folder":         {map[string]string{"XDG_STATE_HOME": "/b", "HOME": "/c"}, "/b/faultline"},
		"then the one under the home":   {map[string]string{"HOME": "/c"}, "/c/.local/state/faultline"},
		"without any there is no place": {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := DefaultDir(func(k string) string { return c.env[k] })
			if got != c.want || (err != nil) != (c.want == "") {
				t.Errorf("got %q, %v; want %q", got, err, c.want)
			}
		})
	}
}
