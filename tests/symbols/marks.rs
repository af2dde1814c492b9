// Places in Rust, as in marks.c.
#![allow(named_asm_labels)]
use std::arch::asm;

mod shop {
    use std::arch::asm;
    pub struct Cart {
        pub total: i64,
    }
    impl Cart {
        #[inline(always)]
        fn add(&mut self, x: i64) { /* add begins */
            unsafe { asm!(".globl here_add", "here_add:", "nop") }; /* in add */
            self.total += x;
        }
        #[inline(never)]
        pub fn fill(&mut self, x: i64) { /* fill begins */
            self.add(x); /* fill calls add */
            unsafe { asm!(".globl here_fill", "here_fill:", "nop") }; /* in fill */
            self.total *= 2;
        }
    }
}

fn main() {
    let mut cart = shop::Cart { total: std::env::args().count() as i64 };
    cart.fill(2);
    unsafe { asm!(".globl here_main", "here_main:", "nop") }; /* in main */
    std::process::exit((cart.total != 6) as i32);
}
