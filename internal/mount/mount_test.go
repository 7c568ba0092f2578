//go:build darwin || linux

package mount_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/gemini-monitor/gemini/internal/mount"
)

// TestMain is also the program that mounts, in a mount namespace of its own.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "mounting" {
		if err := mounting(os.Args[2]); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestMount(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "Mount")
}

// mounting mounts at dir and unmounts again. After each it waits for the notice, and
// prints what is mounted below the directory of dir.
func mounting(dir string) error {
	changed := make(chan struct{}, 8)
	stop, err := mount.Notify(func() { changed <- struct{}{} })
	if err != nil {
		return err
	}
	defer stop()
	for _, command := range [][]string{{"mount", "-t", "tmpfs", "none", dir}, {"umount", dir}} {
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%v: %w: %s", command, err, out)
		}
		select {
		case <-changed:
		case <-time.After(30 * time.Second):
			return fmt.Errorf("no notice after %v", command)
		}
		point, err := mount.Below(filepath.Dir(dir))
		if err != nil {
			return err
		}
		fmt.Printf("%s: %q\n", command[0], point)
	}
	return nil
}

var _ = Describe("The mount points at a directory or below", func() {
	It("are none of a plain directory, and none of one that does not exist", func() {
		place := GinkgoT().TempDir()
		Expect(mount.Below(place)).To(BeEmpty())
		Expect(mount.Below(filepath.Join(place, "none"))).To(BeEmpty())
		Expect(mount.Below(filepath.Join(place, "none", "below"))).To(BeEmpty())
	})

	It("are found from above, and by way of a link", func() {
		Expect(mount.Below("/dev")).To(HavePrefix("/dev"))
		Expect(mount.Below("/")).To(HavePrefix("/"))
		link := filepath.Join(GinkgoT().TempDir(), "link")
		Expect(os.Symlink("/", link)).To(Succeed())
		Expect(mount.Below(filepath.Join(link, "dev"))).To(HavePrefix("/dev"))
	})

	It("are the right ones for each of many that ask at once", func() {
		place := GinkgoT().TempDir()
		all := make(chan string, 300)
		var asking sync.WaitGroup
		for n := range 100 {
			for _, dir := range []string{"/dev", filepath.Join(place, "none"), filepath.Join(place, fmt.Sprint("none", n), "below")} {
				asking.Go(func() {
					point, err := mount.Below(dir)
					all <- fmt.Sprint(strings.HasPrefix(point, "/dev") == (dir == "/dev"), err)
				})
			}
		}
		asking.Wait()
		close(all)
		Expect(all).To(HaveLen(300))
		for answer := range all {
			Expect(answer).To(Equal("true <nil>"))
		}
	})

	It("are not those of a directory whose name begins alike", func() {
		Expect(mount.Below("/de")).To(BeEmpty())
	})

	It("are looked at again after a notice of each change", Label("mounts"), func() {
		if err := exec.Command("unshare", "--mount", "true").Run(); err != nil {
			Skip("no mount namespace can be made here: " + err.Error())
		}
		self, err := os.Executable()
		Expect(err).NotTo(HaveOccurred())
		place, err := filepath.EvalSymlinks(GinkgoT().TempDir())
		Expect(err).NotTo(HaveOccurred())
		point := filepath.Join(place, "point")
		Expect(os.Mkdir(point, 0o700)).To(Succeed())
		// Where the macOS build runs on Linux, HARNESS_EXEC names the program that runs it.
		out, err := exec.Command("unshare", "--mount", "sh", "-c", `exec $HARNESS_EXEC "$0" mounting "$1"`, self, point).CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(strings.Split(strings.TrimSpace(string(out)), "\n")).To(Equal([]string{
			fmt.Sprintf("mount: %q", point), `umount: ""`,
		}))
	})

	It("may change without notice after the end of the watch", func() {
		stop, err := mount.Notify(func() {})
		Expect(err).NotTo(HaveOccurred())
		stop()
	})
})
