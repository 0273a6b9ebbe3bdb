// Package app wires the rooms into a running program: it reads the
// configuration, opens the journal and the store, runs the chain from
// observation to incident, serves the pages, and stops everything in reverse.
//
// It is the only package that knows more than one room. What it adds itself is
// order: which record goes where next, what is acknowledged when, who owns the
// data folder. [Chain] is the pure part, the same for live input, a replay and
// a rebuild.
package app
