package gauge

import (
	"encoding/binary"
	"fmt"
)

// MarshalBinary writes the state, little endian.
func (d *Detector) MarshalBinary() ([]byte, error) {
	b, err := binary.Append(nil, binary.LittleEndian, &d.st)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	return b, nil
}

// UnmarshalBinary continues where MarshalBinary left off.
func (d *Detector) UnmarshalBinary(b []byte) error {
	var st state
	if want := binary.Size(&st); len(b) != want {
		return fmt.Errorf("restore %s: %d bytes of state, want %d", d.series, len(b), want)
	}
	if _, err := binary.Decode(b, binary.LittleEndian, &st); err != nil {
		return fmt.Errorf("restore %s: %w", d.series, err)
	}
	if st.Version != stateVersion {
		return fmt.Errorf("restore %s: state of version %d, want %d", d.series, st.Version, stateVersion)
	}
	d.st = st
	return nil
}
