package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"faultline/internal/app"
)

func newRebuild(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Fill an empty store from the archive and the journal",
		Long: "Makes a new store beside the old one from archived hours and what the journal still holds, and puts it in the old one's place, which is kept until the next time.\nFrames of the journal that are in neither are counted, and lead to exit code 1.\nThe observatory must not be running on the folder.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			is, err := app.IsFolder(o.Dir)
			if err != nil {
				return err
			}
			if !is {
				return fmt.Errorf("no data in %s: name another --data", o.Dir)
			}
			sum, err := app.Rebuild(cmd.Context(), o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.env.Stdout, "rebuilt: %d observations from the archive, %d from the journal, %d control records\n", sum.FromArchive, sum.FromJournal, sum.Records)
			if err == nil && sum.Missing > 0 {
				_, _ = fmt.Fprintf(c.env.Stderr, "faultline: %d frames are missing: hours were removed from the folder archive; put them back and rebuild again\n", sum.Missing)
				return exit(1)
			}
			return err
		},
	}
}
