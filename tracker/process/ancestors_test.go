package process

import (
	"errors"
	"syscall"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("The ancestors of a process", func() {
	row := func(pid, parent int) Process {
		return Process{Identity: Identity{PID: pid, Start: StartTime(1000 + pid)}, Parent: parent}
	}
	// line is 1 ← 2 ← … ← n.
	line := func(n int) map[int]Process {
		rows := make(map[int]Process)
		for pid := 1; pid <= n; pid++ {
			rows[pid] = row(pid, pid-1)
		}
		return rows
	}
	// lookUp answers from the rows, after something has happened before the
	// n-th look.
	lookUp := func(rows map[int]Process, n int, happens func()) func(int) (Process, error) {
		looks := 0
		return func(pid int) (Process, error) {
			if looks++; looks == n {
				happens()
			}
			if p, ok := rows[pid]; ok {
				return p, nil
			}
			return Process{}, ErrGone
		}
	}
	pids := func(line []Process) (all []int) {
		for _, p := range line {
			all = append(all, p.PID)
		}
		return all
	}

	It("are the parents, nearest first, up to PID 1", func() {
		found, err := ancestors(5, lookUp(line(5), 0, nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(pids(found)).To(Equal([]int{4, 3, 2, 1}))
	})

	It("are found at any depth", func() {
		found, err := ancestors(501, lookUp(line(501), 0, nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(found).To(HaveLen(500))
		Expect(found[499].PID).To(Equal(1))
	})

	It("of PID 1 are none", func() {
		Expect(ancestors(1, lookUp(line(1), 0, nil))).To(BeEmpty())
	})

	It("end where a PID namespace does", func() {
		rows := line(3)
		rows[2] = row(2, 0)
		found, err := ancestors(3, lookUp(rows, 0, nil))
		Expect(err).NotTo(HaveOccurred())
		Expect(pids(found)).To(Equal([]int{2}))
	})

	It("of no process are not known", func() {
		_, err := ancestors(9, lookUp(line(5), 0, nil))
		Expect(err).To(MatchError(ErrGone))
	})

	// Whatever happens between two looks: what is returned was true at the end.
	orphaned := func(rows map[int]Process, dead int) func() {
		return func() {
			delete(rows, dead)
			if p, ok := rows[dead+1]; ok {
				p.Parent = 1
				rows[dead+1] = p
			}
		}
	}

	It("are those that are left when a parent dies between any two looks", func() {
		for dead := 2; dead <= 5; dead++ {
			for look := 1; look <= 12; look++ {
				rows := line(6)
				found, err := ancestors(6, lookUp(rows, look, orphaned(rows, dead)))
				Expect(err).NotTo(HaveOccurred())
				whole, left := []int{5, 4, 3, 2, 1}, []int{1}
				for pid := dead + 1; pid < 6; pid++ {
					left = append([]int{pid}, left...)
				}
				Expect(pids(found)).To(Or(Equal(whole), Equal(left)), "%d dies before look %d", dead, look)
			}
		}
	})

	It("are never a stranger that has the PID of a parent that died", func() {
		for dead := 2; dead <= 5; dead++ {
			for look := 1; look <= 12; look++ {
				rows := line(6)
				die := orphaned(rows, dead)
				found, err := ancestors(6, lookUp(rows, look, func() {
					die()
					stranger := row(dead, 1)
					stranger.Start = 9000
					rows[dead] = stranger
				}))
				Expect(err).NotTo(HaveOccurred())
				Expect(found).NotTo(ContainElement(HaveField("Start", StartTime(9000))), "%d dies before look %d", dead, look)
			}
		}
	})

	It("of a process that dies meanwhile are not known, and never another's", func() {
		for look := 1; look <= 9; look++ {
			rows := line(5)
			found, err := ancestors(5, lookUp(rows, look, func() {
				delete(rows, 5)
			}))
			if look <= 3 { // it, its parent, and it once more
				Expect(err).To(MatchError(ErrGone))
				Expect(found).To(BeEmpty())
			} else {
				Expect(pids(found)).To(Equal([]int{4, 3, 2, 1}), "it dies before look %d", look)
			}
		}
	})

	It("are not known beyond what may be looked at", func() {
		rows := line(5)
		_, err := ancestors(5, func(pid int) (Process, error) {
			if pid == 3 {
				return Process{}, syscall.EPERM
			}
			return rows[pid], nil
		})
		Expect(errors.Is(err, syscall.EPERM)).To(BeTrue())
	})
})
