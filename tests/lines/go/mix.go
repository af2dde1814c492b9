// The planted lines in Go: mix TRUTH PARTNER SECONDS FORM. "thread": goroutines that are bound to a thread and
// wait in system calls; "net": goroutines that wait through the runtime's poller, while their
// threads do for whatever comes.
package main

import (
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

const (
	clockThreadCPU = 3
	inTwoThreads   = 2
)

var names = []string{"HOT", "OTHER", "WAIT", "WAIT2", "OTHER_WAIT"}
var cpuNs, waitNs [5]int64

func threadCPUNs() int64 {
	var now syscall.Timespec
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPU, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func runDelayNs() int64 {
	text, err := os.ReadFile("/proc/thread-self/schedstat")
	must(err)
	delay, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	must(err)
	return delay
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// section runs what, which stays on its thread, and books its time.
func section(which int, what func()) {
	delay, wall, cpu := runDelayNs(), time.Now(), threadCPUNs()
	what()
	cpu = threadCPUNs() - cpu
	waited := time.Since(wall).Nanoseconds() - cpu - (runDelayNs() - delay)
	atomic.AddInt64(&cpuNs[which], cpu)
	if waited > 0 {
		atomic.AddInt64(&waitNs[which], waited)
	}
}

func writeTruth(path string) {
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	must(err)
	var fields []string
	for i, name := range names {
		fields = append(fields, fmt.Sprintf("%q: {\"cpu_s\": %f, \"wait_s\": %f}", name,
			float64(cpuNs[i])/1e9, float64(waitNs[i])/1e9))
	}
	fmt.Fprintf(file, "{%s}\n", strings.Join(fields, ", "))
	must(file.Close())
}

//go:noinline
func hot(x uint64, count int) uint64 {
	for i := 0; i < count; i++ {
		x = (((((((((((((((((x*6364136223846793005^7)*2862933555777941757^9)*3202034522624059733^3)*7046029254386353131^5)*6364136223846793005^7)*2862933555777941757^9)*3202034522624059733^3)*7046029254386353131^x>>5)*6364136223846793005)*6364136223846793005^7)*2862933555777941757^9)*3202034522624059733^3)*7046029254386353131^5)*6364136223846793005^7)*2862933555777941757^9)*3202034522624059733^3)*7046029254386353131 ^ x>>5) * 6364136223846793005 // HOT
	}
	return x
}

//go:noinline
func other(x uint64, count int) uint64 {
	for i := 0; i < count; i++ {
		x = x*6364136223846793005 ^ uint64(i)
	}
	return x
}

func question(delayUs uint32) []byte {
	bytes := make([]byte, 4)
	binary.LittleEndian.PutUint32(bytes, delayUs)
	return bytes
}

//go:noinline
func waitHere(fd int) {
	var answer [1]byte
	got, err := syscall.Read(fd, answer[:]) // WAIT
	if got != 1 {
		must(err)
	}
}

//go:noinline
func waitNet(connection net.Conn) {
	var answer [1]byte
	_, err := connection.Read(answer[:]) // net WAIT
	must(err)
}

//go:noinline
func nap() {
	pause := syscall.Timespec{Nsec: 1000000}
	syscall.Nanosleep(&pause, nil) // OTHER_WAIT
}

func dial(port string) *net.TCPConn {
	connection, err := net.Dial("tcp", "127.0.0.1:"+port)
	must(err)
	return connection.(*net.TCPConn)
}

func computeInSections(sum uint64) uint64 {
	section(0, func() { sum = hot(sum, 300000) })
	section(1, func() { sum = other(sum, 500000) })
	return sum
}

func bound(port string, end time.Time) {
	runtime.LockOSThread()
	file, err := dial(port).File()
	must(err)
	defer file.Close()
	fd := int(file.Fd()) // which makes it block
	for sum := uint64(1); time.Now().Before(end); {
		sum = computeInSections(sum)
		_, err = syscall.Write(fd, question(6000))
		must(err)
		section(2, func() { waitHere(fd) })
		section(4, nap)
	}
}

func polled(port string, end time.Time) {
	connection := dial(port)
	for sum := uint64(1); time.Now().Before(end); {
		runtime.LockOSThread()
		sum = computeInSections(sum)
		runtime.UnlockOSThread()
		_, err := connection.Write(question(30000))
		must(err)
		waitNet(connection)
	}
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	must(err)
	end := time.Now().Add(time.Duration(seconds * 1e9))
	work := map[string]func(string, time.Time){"thread": bound, "net": polled}[os.Args[4]]
	var group sync.WaitGroup
	for i := 0; i < inTwoThreads; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			work(os.Args[2], end)
		}()
	}
	group.Wait()
	writeTruth(os.Args[1])
}
