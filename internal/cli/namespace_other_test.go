//go:build !linux

package cli_test

var helpers = map[string]func(){}
