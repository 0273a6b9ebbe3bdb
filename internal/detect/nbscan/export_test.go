package nbscan

import "encoding/binary"

// WorkBytes is how many bytes the working of an open event adds to a snapshot.
var WorkBytes = binary.Size(work{})
