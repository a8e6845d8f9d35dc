// Verify checkpoints and proofs of the record with Go's own golang.org/x/mod/sumdb: nothing here is shared with what
// made them.
//
//	verify KEY          reads cases, a line each, and answers each with a line: "accepted", or "refused: " and why
//	verify KEY FOLDER   verifies an exported record that was unpacked there: "accepted N", or "refused: " and why
//
// KEY is the signer's line. The words of a case are parted by one space; all but numbers are base64, a proof is its
// hashes one after another:
//
//	inclusion NOTE INDEX ENTRY PROOF     the entry's hash leads to the root of the checkpoint
//	consistency OLD NEW PROOF            the log of checkpoint OLD is the beginning of that of NEW
package main

import (
	"bufio"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var errCase = errors.New("this is no case")

func main() {
	if len(os.Args) < 2 || len(os.Args) > 3 {
		fail(errors.New("verify KEY [FOLDER]"))
	}
	signer, err := note.NewVerifier(os.Args[1])
	if err != nil {
		fail(err)
	}
	if len(os.Args) == 3 {
		count, err := bundle(signer, os.Args[2])
		fmt.Println(answer(fmt.Sprintf("accepted %d", count), err))
		return
	}
	in, out := bufio.NewScanner(os.Stdin), bufio.NewWriter(os.Stdout)
	in.Buffer(nil, 1<<26)
	for in.Scan() {
		fmt.Fprintln(out, answer("accepted", try(signer, strings.Split(in.Text(), " "))))
	}
	if err := in.Err(); err != nil {
		fail(err)
	}
	if err := out.Flush(); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}

func answer(good string, err error) string {
	if err != nil {
		return "refused: " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
	return good
}

// try answers one case.
func try(signer note.Verifier, words []string) error {
	switch {
	case words[0] == "inclusion" && len(words) == 5:
		return inclusion(signer, words[1], words[2], words[3], words[4])
	case words[0] == "consistency" && len(words) == 4:
		return consistency(signer, words[1], words[2], words[3])
	}
	return errCase
}

func inclusion(signer note.Verifier, said, at, entry, hashes string) error {
	tree, err := encoded(signer, said)
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return err
	}
	data, err := base64.StdEncoding.DecodeString(entry)
	if err != nil {
		return err
	}
	proof, err := proven(hashes)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(data))
}

func consistency(signer note.Verifier, before, after, hashes string) error {
	old, err := encoded(signer, before)
	if err != nil {
		return err
	}
	tree, err := encoded(signer, after)
	if err != nil {
		return err
	}
	proof, err := proven(hashes)
	if err != nil {
		return err
	}
	return tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
}

func encoded(signer note.Verifier, said string) (tlog.Tree, error) {
	text, err := base64.StdEncoding.DecodeString(said)
	if err != nil {
		return tlog.Tree{}, err
	}
	return checkpoint(signer, text)
}

// checkpoint opens a signed note and reads origin, size and root from it (C2SP tlog-checkpoint).
func checkpoint(signer note.Verifier, said []byte) (tlog.Tree, error) {
	opened, err := note.Open(said, note.VerifierList(signer))
	if err != nil {
		return tlog.Tree{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != signer.Name() {
		return tlog.Tree{}, errors.New("the note is no checkpoint of this log")
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, err
}

func proven(hashes string) ([]tlog.Hash, error) {
	raw, err := base64.StdEncoding.DecodeString(hashes)
	if err != nil {
		return nil, err
	}
	if len(raw)%tlog.HashSize != 0 {
		return nil, errors.New("the proof is no row of hashes")
	}
	proof := make([]tlog.Hash, len(raw)/tlog.HashSize)
	for n := range proof {
		copy(proof[n][:], raw[n*tlog.HashSize:])
	}
	return proof, nil
}
