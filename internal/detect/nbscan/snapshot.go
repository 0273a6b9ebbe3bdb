package nbscan

import (
	"encoding/binary"
	"fmt"
)

// stateVersion changes with the layout of state, slot or work.
const stateVersion = 5

// MarshalBinary writes the state and the ring, and the working of the event that
// is open, little endian.
func (d *Detector) MarshalBinary() ([]byte, error) {
	b, err := binary.Append(nil, binary.LittleEndian, &d.st)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	if b, err = binary.Append(b, binary.LittleEndian, d.ring); err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	if d.st.Ev.Kind == 0 {
		return b, nil
	}
	if b, err = binary.Append(b, binary.LittleEndian, d.why); err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", d.series, err)
	}
	return b, nil
}

// UnmarshalBinary continues where MarshalBinary left off. The series and the
// settings are the detector's own.
func (d *Detector) UnmarshalBinary(b []byte) error {
	var st state
	n, err := binary.Decode(b, binary.LittleEndian, &st)
	if err != nil {
		return fmt.Errorf("restore %s: %w", d.series, err)
	}
	if st.Version != stateVersion {
		return fmt.Errorf("restore %s: state of version %d, want %d", d.series, st.Version, stateVersion)
	}
	var lay layout
	var ring []slot
	if st.Width > 0 {
		lay = layoutOf(st.Width)
		ring = make([]slot, lay.Ring)
	}
	var why *work
	want := n + binary.Size(ring)
	if st.Ev.Kind != 0 {
		why = &work{}
		want += binary.Size(why)
	}
	if len(b) != want || st.Head < 0 || int(st.Head) >= max(1, len(ring)) {
		return fmt.Errorf("restore %s: %d bytes of state, want %d", d.series, len(b), want)
	}
	if _, err := binary.Decode(b[n:], binary.LittleEndian, ring); err != nil {
		return fmt.Errorf("restore %s: %w", d.series, err)
	}
	if why != nil {
		if _, err := binary.Decode(b[n+binary.Size(ring):], binary.LittleEndian, why); err != nil {
			return fmt.Errorf("restore %s: %w", d.series, err)
		}
	}
	d.st, d.lay, d.ring, d.why = st, lay, ring, why
	return nil
}
