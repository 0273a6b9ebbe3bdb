// Package scenario turns a recorded or reconstructed day into observations,
// as if they had come in from outside.
//
// In: a folder with scenario.yaml and CSV tables (figures, waves, peaks,
// baselines, networks, vantages …; scenarios/README.md describes them), from
// the binary or from a disk. Out: observations in time order, each with its
// origin and a position, made one minute at a time.
//
// Promises:
//
//   - The same folder gives the same observations, bit for bit, on every
//     machine. Chances come from PCG generators seeded by (seed, minute) or
//     (seed, series); no map order, clock or float formatting takes part, and
//     products of floats are rounded before they are added, so that a fused
//     multiply-add cannot change them.
//   - For each country and wave the largest 15-minute sum of the reports of
//     that wave equals the peak in the table.
//   - A broken line is an error that names the file and the line.
//
// It does not judge: nothing here knows what a detector will say. It holds no
// goroutine and meets no clock.
package scenario
