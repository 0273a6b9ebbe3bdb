package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"faultline/internal/app"
)

func newRebuild(c *common) *cobra.Command {
	return &cobra.Command{
		Use: "rebuild", Short: "Fill an empty store from the archive and the journal", Args: cobra.NoArgs,
		Long: "Makes a new store beside the old one from archived hours and what the journal still holds, compares, and switches.\nThe observatory must not be running on the folder.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := c.options()
			if err != nil {
				return err
			}
			if !app.IsFolder(o.Dir) {
				return fmt.Errorf("no data in %s: name another --data", o.Dir)
			}
			sum, err := app.Rebuild(cmd.Context(), o)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.env.Stdout, "rebuilt: %d observations from the archive, %d from the journal, %d control records\n", sum.FromArchive, sum.FromJournal, sum.Records)
			return err
		},
	}
}
