package origin

import (
	"debug/elf"
	"encoding/binary"
	"os"
	"testing"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

func TestOrigin(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Origin")
}

var wanted = []string{actionsSymbol, maskSymbol, anchorSymbol}

// imageWith returns the image of a program with three sections: none, the symbols, their
// names.
func imageWith(symbols ...elf.Sym64) []byte {
	var table []byte
	names := []byte{0}
	for i, s := range symbols {
		s.Name = uint32(len(names))
		names = append(append(names, wanted[i]...), 0)
		table, _ = binary.Append(table, binary.NativeEndian, s)
	}
	content := uint64(headerSize + 3*sectionSize)
	image, _ := binary.Append(nil, binary.NativeEndian, elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64)}, Shoff: headerSize, Shnum: 3,
	})
	image, _ = binary.Append(image, binary.NativeEndian, []elf.Section64{
		{},
		{Type: uint32(elf.SHT_SYMTAB), Off: content, Size: uint64(len(table)), Link: 2},
		{Type: uint32(elf.SHT_STRTAB), Off: content + uint64(len(table)), Size: uint64(len(names))},
	})
	return append(append(image, table...), names...)
}

func whole() []byte {
	return imageWith(elf.Sym64{Value: 11, Size: sizes[wanted[0]]}, elf.Sym64{Value: 22, Size: sizes[wanted[1]]}, elf.Sym64{Value: 33, Size: sizes[wanted[2]]})
}

var _ = Describe("The symbols of a program", func() {
	It("are at the addresses that debug/elf reads", func() {
		file, err := elf.Open("/proc/self/exe")
		Expect(err).NotTo(HaveOccurred())
		defer file.Close()
		symbols, err := file.Symbols()
		found, failed := find(wanted...)
		if err != nil { // go test leaves them out
			Expect(failed).To(MatchError(errUnknown))
			return
		}
		Expect(failed).NotTo(HaveOccurred())
		there := make(map[string]uint64)
		for _, s := range symbols {
			if _, is := sizes[s.Name]; is {
				there[s.Name] = s.Value
			}
		}
		Expect(found).To(Equal(there))
	})

	It("are found in a whole image, and in none that is cut", func() {
		image := whole()
		Expect(findIn(image, wanted)).To(Equal(map[string]uint64{wanted[0]: 11, wanted[1]: 22, wanted[2]: 33}))
		for end := range len(image) {
			_, err := findIn(image[:end], wanted)
			Expect(err).To(MatchError(errUnknown), "the first %d bytes", end)
		}
	})

	It("are not known where one has another size", func() {
		_, err := findIn(imageWith(elf.Sym64{Size: sizes[wanted[0]]}, elf.Sym64{Size: 4}, elf.Sym64{Size: sizes[wanted[2]]}), wanted)
		Expect(err).To(MatchError(errUnknown))
	})
})

// FuzzImage checks that findIn never panics, and finds all symbols or none.
func FuzzImage(f *testing.F) {
	own, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range [][]byte{nil, whole(), imageWith(), own[:headerSize], own[:min(len(own), 1<<12)]} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, image []byte) {
		found, err := findIn(image, wanted)
		if (err == nil) != (len(found) == len(wanted)) {
			t.Errorf("%d symbols and the error %v", len(found), err)
		}
	})
}
