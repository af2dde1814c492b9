// The planted lines in Rust, its own library alone: mix TRUTH PARTNER SECONDS. Two threads, a closure, a
// trait and a generic function.
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

const CLOCK_THREAD_CPUTIME_ID: i32 = 3;
const SECTIONS: [&str; 5] = ["HOT", "OTHER", "WAIT", "WAIT2", "OTHER_WAIT"];
const HOT: usize = 0;
const OTHER: usize = 1;
const WAIT: usize = 2;
const OTHER_WAIT: usize = 4;
static CPU_NS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];
static WAIT_NS: [AtomicU64; 5] = [const { AtomicU64::new(0) }; 5];

fn thread_cpu_ns() -> u64 {
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    unsafe { clock_gettime(CLOCK_THREAD_CPUTIME_ID, &mut time) };
    time.seconds as u64 * 1_000_000_000 + time.nanoseconds as u64
}

fn run_delay_ns() -> u64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().nth(1).unwrap().parse().unwrap()
}

// Runs @what and books its time.
fn section<T>(which: usize, what: impl FnOnce() -> T) -> T {
    let (delay, wall, cpu) = (run_delay_ns(), Instant::now(), thread_cpu_ns());
    let result = what();
    let cpu = thread_cpu_ns() - cpu;
    let wall = wall.elapsed().as_nanos() as u64;
    let delay = run_delay_ns() - delay;
    CPU_NS[which].fetch_add(cpu, Ordering::Relaxed);
    WAIT_NS[which].fetch_add(wall.saturating_sub(cpu + delay), Ordering::Relaxed);
    result
}

fn write_truth(path: &str) {
    let fields: Vec<String> = (0..5)
        .map(|i| {
            let seconds = |ns: &AtomicU64| ns.load(Ordering::Relaxed) as f64 / 1e9;
            format!(
                "\"{}\": {{\"cpu_s\": {}, \"wait_s\": {}}}",
                SECTIONS[i],
                seconds(&CPU_NS[i]),
                seconds(&WAIT_NS[i])
            )
        })
        .collect();
    let mut file = OpenOptions::new().append(true).create(true).open(path).unwrap();
    writeln!(file, "{{{}}}", fields.join(", ")).unwrap();
}

trait Step {
    fn step(self, by: u64) -> Self;
}

impl Step for u64 {
    #[inline(always)]
    fn step(self, by: u64) -> u64 {
        self.wrapping_mul(6364136223846793005) ^ by
    }
}

#[inline(never)]
fn hot(mut x: u64, cnt: u64) -> u64 {
    let mut i = 0;
    while i < cnt { x = x.wrapping_mul(6364136223846793005).rotate_left(7).wrapping_mul(2862933555777941757).rotate_left(9).wrapping_mul(3202034522624059733).rotate_left(3).wrapping_mul(7046029254386353131) ^ (x >> 3); i += 1 } // HOT
    x
}

#[inline(never)]
fn other<N: Step>(mut x: N, cnt: u64) -> N {
    for i in 0..cnt {
        x = x.step(i);
    }
    x
}

enum Partner {
    Socket(TcpStream),
    Fifos(File, File),
}

impl Partner {
    fn open(place: &str) -> Partner {
        if !place.contains('/') {
            let stream = TcpStream::connect(("127.0.0.1", place.parse().unwrap())).unwrap();
            stream.set_nodelay(true).unwrap();
            return Partner::Socket(stream);
        }
        let questions = OpenOptions::new().write(true).open(format!("{place}/questions")).unwrap();
        Partner::Fifos(questions, File::open(format!("{place}/answers")).unwrap())
    }

    fn ask(&mut self, delay_us: u32) {
        let question = delay_us.to_ne_bytes();
        match self {
            Partner::Socket(stream) => stream.write_all(&question).unwrap(),
            Partner::Fifos(questions, _) => questions.write_all(&question).unwrap(),
        }
    }

    #[inline(never)]
    fn wait_here(&mut self) -> u8 {
        let mut answer = [0];
        match self {
            Partner::Socket(stream) => stream.read_exact(&mut answer).unwrap(), // WAIT
            Partner::Fifos(_, answers) => answers.read_exact(&mut answer).unwrap(),
        }
        answer[0]
    }
}

#[inline(never)]
fn nap() {
    std::thread::sleep(Duration::from_millis(1)); // OTHER_WAIT
}

fn work(place: &str, end: Instant) {
    let mut partner = Partner::open(place);
    let mut sum = 1;
    while Instant::now() < end {
        sum = section(HOT, || hot(sum, 1_200_000));
        sum = sum.wrapping_add(section(OTHER, || other(sum, 1_000_000)));
        partner.ask(6000);
        sum ^= section(WAIT, || partner.wait_here()) as u64;
        section(OTHER_WAIT, nap);
    }
    println!("{sum}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let end = Instant::now() + Duration::from_secs_f64(arguments[3].parse().unwrap());
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let place = arguments[2].clone();
            std::thread::spawn(move || work(&place, end))
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    write_truth(&arguments[1]);
}
