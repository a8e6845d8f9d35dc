package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type exported struct {
	Index   int64    `json:"index"`
	Number  int64    `json:"number"`
	Client  string   `json:"client"`
	Version *int64   `json:"version"`
	Lines   []line   `json:"lines"`
	Proof   []string `json:"proof"`
}

type line struct {
	Table  string      `json:"table"`
	Row    string      `json:"row"`
	Before interface{} `json:"before"`
	After  interface{} `json:"after"`
	Salt   string      `json:"salt"`
	Hashed *string     `json:"hashed"`
}

// erased holds, by leaf and number, lines of which the hash alone is left, until a later entry says that they were erased.
type erased map[string]bool

// bundle verifies an exported record: how many entries are in it. That none was left out behind the last one, it does
// not show: that is for the reader to know from elsewhere.
func bundle(signer note.Verifier, folder string) (int64, error) {
	said, err := os.ReadFile(filepath.Join(folder, "checkpoint.note"))
	if err != nil {
		return 0, err
	}
	tree, err := checkpoint(signer, said)
	if err != nil {
		return 0, err
	}
	file, err := os.Open(filepath.Join(folder, "entries.jsonl"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	gone := erased{}
	for number, version := int64(0), int64(0); ; number++ {
		text, err := in.ReadBytes('\n')
		if err != nil {
			if len(text) != 0 || number == 0 {
				err = errors.New("the entries end in the middle of one, or there is none")
				return number, err
			}
			for which := range gone {
				return number, fmt.Errorf("line %s was erased without a record of it", which)
			}
			return number, nil
		}
		if err := included(tree, text, number, &version, gone); err != nil {
			return number, fmt.Errorf("entry %d: %w", number, err)
		}
	}
}

// included leads one entry to the root; numbers and versions have no gap.
func included(tree tlog.Tree, text []byte, number int64, version *int64, gone erased) error {
	var one exported
	reader := json.NewDecoder(bytes.NewReader(text))
	reader.UseNumber()
	if err := reader.Decode(&one); err != nil {
		return err
	}
	if one.Number != number {
		return fmt.Errorf("number %d, %d was due", one.Number, number)
	}
	if who := whose(one.Lines); who != one.Client && (len(one.Lines) == 0 || one.Lines[0].Hashed == nil) {
		return fmt.Errorf("of client %q, and it says %q", one.Client, who)
	}
	if one.Version != nil {
		if *version++; *one.Version != *version {
			return fmt.Errorf("version %d, %d was due", *one.Version, *version)
		}
	}
	var entry []byte
	for _, each := range one.Lines {
		hash, err := salted(each)
		if err != nil {
			return err
		}
		entry = append(entry, hash...)
	}
	proof := make([]tlog.Hash, len(one.Proof))
	for n, each := range one.Proof {
		raw, err := hex.DecodeString(each)
		if err != nil || len(raw) != tlog.HashSize {
			return errors.New("the proof is no row of hashes")
		}
		copy(proof[n][:], raw)
	}
	gone.account(one.Lines, entry)
	return tlog.CheckRecord(proof, tree.N, tree.Hash, one.Index, tlog.RecordHash(entry))
}

// account notes what was erased of an entry, and what it says that was erased of earlier ones.
func (gone erased) account(lines []line, entry []byte) {
	leaf := tlog.RecordHash(entry)
	for n, one := range lines {
		if one.Hashed != nil {
			gone[fmt.Sprintf("%x.%d", leaf[:], n)] = true
			continue
		}
		said, ok := one.After.(map[string]interface{})
		if n == 0 || one.Table != "erasures" || one.Before != nil || !ok {
			continue
		}
		named, _ := said["lines"].([]interface{})
		for _, each := range named {
			if line, ok := each.(map[string]interface{}); ok {
				delete(gone, fmt.Sprintf("%s.%s", said["leaf"], line["n"]))
			}
		}
	}
}

// whose says to which client the entry was recorded, by its own first line.
func whose(lines []line) string {
	if len(lines) > 0 {
		if said, ok := lines[0].After.(map[string]interface{}); ok {
			client, _ := said["client_id"].(string)
			return client
		}
	}
	return ""
}

func salted(one line) ([]byte, error) {
	if one.Hashed != nil {
		hash, err := hex.DecodeString(*one.Hashed)
		if err != nil || len(hash) != sha256.Size || one.Salt != "" || one.Before != nil || one.After != nil {
			return nil, errors.New("a line is erased, and there is more of it than its hash")
		}
		return hash, nil
	}
	salt, err := hex.DecodeString(one.Salt)
	if err != nil {
		return nil, err
	}
	text := bytes.NewBuffer(salt)
	canonical(text, []interface{}{one.Table, one.Row, one.Before, one.After})
	hash := sha256.Sum256(text.Bytes())
	return hash[:], nil
}

// canonical writes JSON with its keys sorted, without spaces, and escapes nothing but what JSON must.
func canonical(out *bytes.Buffer, value interface{}) {
	switch value := value.(type) {
	case nil:
		out.WriteString("null")
	case bool:
		fmt.Fprint(out, value)
	case json.Number:
		out.WriteString(value.String())
	case string:
		quoted(out, value)
	case []interface{}:
		out.WriteByte('[')
		for n, each := range value {
			comma(out, n)
			canonical(out, each)
		}
		out.WriteByte(']')
	case map[string]interface{}:
		keys := make([]string, 0, len(value))
		for key := range value {
			keys = append(keys, key)
		}
		sort.Strings(keys)
		out.WriteByte('{')
		for n, key := range keys {
			comma(out, n)
			quoted(out, key)
			out.WriteByte(':')
			canonical(out, value[key])
		}
		out.WriteByte('}')
	}
}

func comma(out *bytes.Buffer, n int) {
	if n > 0 {
		out.WriteByte(',')
	}
}

var short = strings.NewReplacer(`"`, `\"`, `\`, `\\`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "\b", `\b`, "\f", `\f`)

func quoted(out *bytes.Buffer, text string) {
	out.WriteByte('"')
	for _, char := range short.Replace(text) {
		if char < 0x20 {
			fmt.Fprintf(out, `\u%04x`, char)
		} else {
			out.WriteRune(char)
		}
	}
	out.WriteByte('"')
}
