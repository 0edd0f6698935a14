"""Source that people bring themselves: packed by whoever knows how, unpacked with care."""
