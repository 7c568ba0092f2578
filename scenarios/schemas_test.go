//go:build darwin || linux

package scenarios_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaDirectory has the schemas of docs/json.md.
const schemaDirectory = "../docs/schemas"

// A schemaBook has the schemas by the names of their files, without ".json".
type schemaBook map[string]*jsonschema.Schema

// openSchemas compiles all schemas. It skips the spec where the docs are not.
func openSchemas() schemaBook {
	GinkgoHelper()
	found, err := filepath.Glob(schemaDirectory + "/*.json")
	Expect(err).NotTo(HaveOccurred())
	if _, err := os.Stat(schemaDirectory); errors.Is(err, fs.ErrNotExist) {
		Skip("the sources are elsewhere")
	}
	Expect(found).NotTo(BeEmpty())
	compiler := jsonschema.NewCompiler()
	compiler.DefaultDraft(jsonschema.Draft2020)
	compiler.AssertFormat()
	book := schemaBook{}
	for _, path := range found {
		schema, err := compiler.Compile(path)
		Expect(err).NotTo(HaveOccurred(), path)
		book[strings.TrimSuffix(filepath.Base(path), ".json")] = schema
	}
	return book
}

// expect checks a text against a schema. Then it puts a field that no schema has into each
// object of the text, one at a time: a schema that lets that pass would not show that a field
// lacks its description.
func (b schemaBook) expect(name, text string) {
	GinkgoHelper()
	schema := b[name]
	Expect(schema).NotTo(BeNil(), "there is no schema %s", name)
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	Expect(err).NotTo(HaveOccurred(), text)
	if err := schema.Validate(value); err != nil { // it prints more in a matcher
		Fail(fmt.Sprintf("%v\n%s", err, text))
	}
	for _, object := range objectsIn(value) {
		const undocumented = "undocumented"
		object[undocumented] = "x"
		Expect(schema.Validate(value)).NotTo(Succeed(), "an object of %s may have any field: %v", name, object)
		delete(object, undocumented)
	}
}

// objectsIn returns the objects in a JSON value.
func objectsIn(value any) (all []map[string]any) {
	switch value := value.(type) {
	case map[string]any:
		all = append(all, value)
		for _, field := range value {
			all = append(all, objectsIn(field)...)
		}
	case []any:
		for _, element := range value {
			all = append(all, objectsIn(element)...)
		}
	}
	return all
}

// lines checks each line of a file of the store, and returns how many there are.
func (b schemaBook) lines(name, text string) (n int) {
	GinkgoHelper()
	for line := range strings.Lines(text) {
		b.expect(name, line)
		n++
	}
	return n
}

// fieldsOf returns the names of all fields in a JSON text.
func fieldsOf(text string) (names []string) {
	GinkgoHelper()
	var value any
	Expect(json.Unmarshal([]byte(text), &value)).To(Succeed())
	for _, object := range objectsIn(value) {
		for name := range object {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// commandsWithJSON returns the commands whose help has the flag --json.
func commandsWithJSON() (names []string) {
	GinkgoHelper()
	_, table, found := strings.Cut(stage.Run("monitor", "help").Stdout, "Available Commands:\n")
	Expect(found).To(BeTrue())
	table, _, _ = strings.Cut(table, "\n\n")
	for line := range strings.Lines(table) {
		name := strings.Fields(line)[0]
		if strings.Contains(stage.Run("monitor", "help", name).Stdout, "--json") {
			names = append(names, name)
		}
	}
	return names
}

var _ = Describe("docs/json.md", ours, Label("sources"), func() {
	// sections returns the JSON examples of the page by the headings above them.
	sections := func() map[string]string {
		GinkgoHelper()
		text, err := os.ReadFile("../docs/json.md")
		if errors.Is(err, fs.ErrNotExist) {
			Skip("the sources are elsewhere")
		}
		Expect(err).NotTo(HaveOccurred())
		examples := map[string]string{}
		for section := range strings.SplitSeq(string(text), "\n## ") {
			heading, rest, _ := strings.Cut(section, "\n")
			if _, after, found := strings.Cut(rest, "```json\n"); found {
				example, _, _ := strings.Cut(after, "```")
				examples[strings.Trim(heading, "`")] = example
				Expect(after).NotTo(ContainSubstring("```json"), "%s has two examples", heading)
			}
		}
		return examples
	}

	It("has an example that fits its schema, for each command that has --json and for the files", func() {
		book, examples := openSchemas(), sections()
		documented := map[string]string{"runtime.json": "record", "journal.jsonl": "journal", "history.jsonl": "history"}
		commands := commandsWithJSON()
		Expect(commands).NotTo(BeEmpty())
		for _, name := range commands {
			documented[fmt.Sprintf("monitor %s --json", name)] = name
		}
		for heading, schema := range documented {
			Expect(examples).To(HaveKey(heading))
			book.expect(schema, examples[heading])
			delete(examples, heading)
		}
		Expect(examples).To(BeEmpty(), "they are of no command")
		Expect(book).To(HaveLen(len(documented)+1), "and common")
	})

	It("describes each field of the schemas", func() {
		for name := range openSchemas() {
			text, err := os.ReadFile(filepath.Join(schemaDirectory, name+".json"))
			Expect(err).NotTo(HaveOccurred())
			var schema map[string]any
			Expect(json.Unmarshal(text, &schema)).To(Succeed())
			Expect(undescribed(schema)).To(BeEmpty(), "fields of %s that have neither a description nor a $ref", name)
		}
	})
})

// undescribed returns the fields of a schema without a description. Those of a $ref have that
// of the other one, and a field that is restricted once more needs no second one.
func undescribed(schema any) (names []string) {
	for _, object := range objectsIn(schema) {
		fields, _ := object["properties"].(map[string]any)
		for name, field := range fields {
			field, is := field.(map[string]any)
			if is && field["description"] == nil && field["$ref"] == nil && field["const"] == nil && field["enum"] == nil && field["maxItems"] == nil {
				names = append(names, name)
			}
		}
	}
	return names
}
