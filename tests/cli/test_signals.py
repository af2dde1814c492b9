#!/usr/bin/python3
"""Signals reach a wrapped command as if classify were not there: once each, from whom they come."""
import os
import signal

from support import PYTHON, Terminal, ThroughEbpf, ThroughProcfs, main

# Counts signals, answers each line on stdin with the counts, ends with 40 + the number of SIGTERMs.
COUNTER = """
import os, signal, sys
seen = []
for number in (1, 2, 3, 10, 12, 15, 34):
    if signal.getsignal(number) != signal.SIG_IGN:
        signal.signal(number, lambda number, frame: seen.append(number))
print("ready", flush=True)
for line in sys.stdin:
    if line == "group\\n":
        os.killpg(0, signal.SIGUSR1)
    if line == "parent\\n":
        os.kill(os.getppid(), signal.SIGUSR1)
    if line == "whose\\n":
        print(os.getppid(), flush=True)
        continue
    print(*sorted(seen), flush=True)
sys.exit(40 + seen.count(15))
"""


class SignalTests:
    def start_counter(self, *prefix, **how):
        counter = self.start(*prefix, *self.options("--", PYTHON, "-c", COUNTER), **how)
        self.assertEqual(counter.stdout.readline(), b"ready\n")
        return counter

    def ask(self, counter, line=b"\n"):
        counter.stdin.write(line)
        counter.stdin.flush()
        return [int(number) for number in counter.stdout.readline().split()]

    def ask_until(self, counter, number):
        """Asks until @number was seen; signals sent before a higher one come before it."""
        while True:
            seen = self.ask(counter)
            if number in seen:
                return seen

    def end(self, counter):
        counter.stdin.close()
        code = counter.wait()
        self.read_report()
        return code

    def test_signals_are_passed_on(self):
        counter = self.start_counter()
        for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGUSR1,
                       signal.SIGUSR2, signal.SIGTERM, signal.SIGRTMIN):
            counter.send_signal(number)
            self.ask_until(counter, number)
        self.assertEqual(self.ask(counter), [1, 2, 3, 10, 12, 15, 34])
        self.assertEqual(self.end(counter), 41)

    def test_death_by_a_passed_signal(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number.name):
                process = self.start(*self.options("--", "sh", "-c", "echo ready; exec cat"))
                self.assertEqual(process.stdout.readline(), b"ready\n")
                process.send_signal(number)
                self.assertEqual(process.wait(), 128 + number)
                self.read_report()

    def test_what_the_tree_sends_to_its_group_comes_once(self):
        counter = self.start_counter(start_new_session=True)
        self.ask(counter, b"group\n")
        counter.send_signal(signal.SIGUSR2)  # taken after a SIGUSR1 that came before it
        self.assertEqual(self.ask_until(counter, signal.SIGUSR2).count(signal.SIGUSR1), 1)
        self.end(counter)

    def test_what_the_tree_sends_to_its_parent_does_not_come_back(self):
        counter = self.start_counter()
        self.ask(counter, b"parent\n")
        counter.send_signal(signal.SIGUSR2)
        self.assertNotIn(signal.SIGUSR1, self.ask_until(counter, signal.SIGUSR2))
        self.end(counter)

    def test_nohup_is_respected(self):
        counter = self.start_counter("sh", "-c", 'trap "" HUP; exec "$@"', "sh")
        counter.send_signal(signal.SIGHUP)
        counter.send_signal(signal.SIGUSR2)
        self.assertEqual(self.ask_until(counter, signal.SIGUSR2), [signal.SIGUSR2])
        self.assertEqual(self.end(counter), 40)

    def test_killed_classify_leaves_the_command_running(self):
        counter = self.start_counter()
        counter.kill()
        counter.wait()
        self.assertEqual(self.ask(counter), [])


class TerminalTests:
    def test_interrupt_reaches_the_command_once(self):
        with Terminal(self.options("--", PYTHON, "-c", COUNTER)) as screen:
            screen.read_until(b"ready\r\n")
            classify = int(self.ask_screen(screen, b"whose\n"))
            screen.type(b"\x03")  # to the whole foreground group
            os.kill(classify, signal.SIGUSR2)
            while b"12" not in (answer := self.ask_screen(screen, b"\n")):
                pass
            self.assertEqual(answer.split(), [b"2", b"12"])
            screen.type(b"\x04")
            self.assertEqual(screen.finish()[0], 40)
        self.read_report()

    @staticmethod
    def ask_screen(screen, line):
        screen.type(line)
        screen.read_until(b"\r\n")  # the echo
        return screen.read_until(b"\r\n")

    def test_interrupt_kills_as_ever(self):
        with Terminal(self.options("--", "sh", "-c", "echo ready; exec cat")) as screen:
            screen.read_until(b"ready\r\n")
            screen.type(b"\x03")
            self.assertEqual(screen.finish()[0], 128 + signal.SIGINT)
        self.assertEqual(self.read_report()["target"]["exit"], {"signal": int(signal.SIGINT)})

    def test_the_terminal_stays_the_commands_own(self):
        code = ("import os, sys; sys.exit(not (os.isatty(0) and os.isatty(2) and "
                "os.tcgetpgrp(0) == os.getpgrp() == os.getpgid(os.getppid())))")
        with Terminal(self.options("--", PYTHON, "-c", code)) as screen:
            self.assertEqual(screen.finish()[0], 0)

    def test_job_control(self):
        """Ctrl-Z stops both, fg continues both."""
        env = dict(os.environ, PS1="$ ", TERM="dumb", HISTFILE="",
                   CODE="echo pid $$ of $PPID; exec cat")
        command = " ".join(self.options("--", "sh", "-c", '"$CODE"'))
        with Terminal(["bash", "--norc", "--noprofile", "--noediting", "-i"], env) as screen:
            screen.type(command.encode() + b"\n")
            screen.read_until(b"pid ")
            pids = [int(word) for word in screen.read_until(b"\r\n").split(b" of ")]
            screen.type(b"\x1a")
            screen.read_until(b"Stopped")
            for pid in pids:
                self.wait_for_state(pid, "T")
            screen.type(b"fg\n")
            for pid in pids:
                self.wait_for_state(pid, "S")
            screen.type(b"second\n")
            for _ in ("the echo", "what cat wrote"):
                screen.read_until(b"second\r\n")
            screen.type(b"\x03")  # also drops what was typed and not read
            screen.read_until(b"$ ")
            screen.type(b"echo code=$?\n")
            screen.read_until(b"code=130\r\n")
        report = self.read_report()
        if self.source == "ebpf":  # a sampler is stopped together with what it samples
            self.assertGreater(report["thread_time"]["stopped_s"], 0)

    @staticmethod
    def wait_for_state(pid, state):
        while True:
            with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                if stat.read().rsplit(")", 1)[1].split()[0] == state:
                    return
            os.sched_yield()


class SignalsThroughProcfs(SignalTests, TerminalTests, ThroughProcfs):
    pass


class SignalsThroughEbpf(SignalTests, TerminalTests, ThroughEbpf):
    pass


if __name__ == "__main__":
    main()
