package origin

import (
	"bytes"
	"encoding/binary"
)

// The layout of a file for processors of 64 bits (elf(5)). debug/elf reads all names of a
// file, which takes longer than the start of the program.
const (
	headerSize  = 64
	sectionSize = 64
	symbolSize  = 24

	classAt    = 4  // in the header
	sectionsAt = 40 // the same: where the sections are described
	countAt    = 60 // the same: how many there are

	class64     = 2 // ELFCLASS64
	symbolTable = 2 // SHT_SYMTAB
)

// findIn returns the addresses of symbols in an image of a program. The byte order is that
// of this program.
//
// Go's linker writes the variables behind the functions. So the search begins at the end of
// the table, and most pages of the file are not touched.
func findIn(image []byte, names []string) (map[string]uint64, error) {
	table, strings := tables(image)
	found := make(map[string]uint64)
	size := make([]uint64, len(names))
	for i, name := range names {
		size[i] = sizes[name]
	}
	for at := len(table)/symbolSize*symbolSize - symbolSize; at >= 0 && len(found) < len(names); at -= symbolSize {
		symbol := table[at : at+symbolSize]
		for i, name := range names {
			// The names are compared only where the size fits, as those are all over the strings.
			if binary.NativeEndian.Uint64(symbol[16:]) == size[i] && isNamed(strings, binary.NativeEndian.Uint32(symbol), name) {
				found[name] = binary.NativeEndian.Uint64(symbol[8:])
			}
		}
	}
	if len(found) < len(names) {
		return nil, errUnknown
	}
	return found, nil
}

// isNamed reports whether the name at an offset of the strings is a given one.
func isNamed(strings []byte, at uint32, name string) bool {
	end := uint64(at) + uint64(len(name))
	return end < uint64(len(strings)) && string(strings[at:end]) == name && strings[end] == 0
}

// tables returns the symbols of an image, and the strings with their names. Both are empty
// where the image has none.
func tables(image []byte) (symbols, strings []byte) {
	if len(image) < headerSize || !bytes.HasPrefix(image, []byte("\x7fELF")) || image[classAt] != class64 {
		return nil, nil
	}
	count := uint64(binary.NativeEndian.Uint16(image[countAt:]))
	sections := part(image, binary.NativeEndian.Uint64(image[sectionsAt:]), count*sectionSize)
	for rest := sections; len(rest) > 0; rest = rest[sectionSize:] {
		if binary.NativeEndian.Uint32(rest[4:]) == symbolTable {
			names := part(sections, uint64(binary.NativeEndian.Uint32(rest[40:]))*sectionSize, sectionSize)
			return content(image, rest), content(image, names)
		}
	}
	return nil, nil
}

// content returns the content of a section, given its description.
func content(image, section []byte) []byte {
	if len(section) < sectionSize {
		return nil
	}
	return part(image, binary.NativeEndian.Uint64(section[24:]), binary.NativeEndian.Uint64(section[32:]))
}

// part returns some bytes of an image, and none where they are not all in it.
func part(image []byte, from, size uint64) []byte {
	if from > uint64(len(image)) || size > uint64(len(image))-from {
		return nil
	}
	return image[from : from+size]
}
