// SPDX-License-Identifier: MIT

//! engine.rs -- a guest in the shape of candle and mistral.rs: a Rust program with its
//! engine built in, which opens the CUDA driver at run time and calls it by dlsym.
//!
//!     engine LIBCUDA END
//!
//! Two threads launch at once. END is how it ends: return, exit, panic, or catch, where a
//! thread's panic is caught and the program goes on. It knows nothing of taffrail.
use std::ffi::{c_char, c_int, c_void, CString};
use std::{env, mem, panic, process, ptr, thread};

extern "C" {
    fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void;
    fn dlsym(lib: *mut c_void, name: *const c_char) -> *mut c_void;
}

type Create = extern "C" fn(*mut *mut c_void, u32, c_int) -> c_int;
type Current = extern "C" fn(*mut c_void) -> c_int;
type Take = extern "C" fn(*mut u64, usize) -> c_int;
type Give = extern "C" fn(u64) -> c_int;
type Launch = extern "C" fn(
    *mut c_void, u32, u32, u32, u32, u32, u32, u32, *mut c_void, *mut *mut c_void, *mut *mut c_void,
) -> c_int;

/// The driver. Its handle is used by all threads.
#[derive(Clone, Copy)]
struct Cuda(usize);

impl Cuda {
    fn open(path: &str) -> Cuda {
        let path = CString::new(path).unwrap();
        let lib = unsafe { dlopen(path.as_ptr(), 1) };
        assert!(!lib.is_null(), "no driver");
        Cuda(lib as usize)
    }

    /// F is the type of the function of that name.
    fn get<F>(self, name: &str) -> F {
        let name = CString::new(name).unwrap();
        let p = unsafe { dlsym(self.0 as *mut c_void, name.as_ptr()) };
        assert!(!p.is_null(), "no {name:?}");
        unsafe { mem::transmute_copy(&p) }
    }
}

fn launch(cuda: Cuda, ctx: usize) -> c_int {
    let current: Current = cuda.get("cuCtxSetCurrent");
    let launch: Launch = cuda.get("cuLaunchKernel");
    let mut bad = current(ctx as *mut c_void);
    for _ in 0..10 {
        let function = 8 as *mut c_void;
        bad += launch(function, 1, 1, 1, 1, 1, 1, 0, ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    }
    bad
}

fn work(cuda: Cuda) {
    let create: Create = cuda.get("cuCtxCreate_v2");
    let take: Take = cuda.get("cuMemAlloc_v2");
    let give: Give = cuda.get("cuMemFree_v2");
    let mut ctx = ptr::null_mut();
    let mut weights = 0;
    println!("{}", create(&mut ctx, 0, 0));
    println!("{}", take(&mut weights, 1 << 20));
    let ctx = ctx as usize;
    let threads: Vec<_> = (0..2).map(|_| thread::spawn(move || launch(cuda, ctx))).collect();
    for t in threads {
        println!("{}", t.join().unwrap());
    }
    println!("{}", give(weights));
    launch(cuda, ctx);
}

fn main() {
    let args: Vec<String> = env::args().collect();
    work(Cuda::open(&args[1]));
    match args[2].as_str() {
        "exit" => process::exit(3),
        "panic" => panic!("by design"),
        "catch" => println!("{}", panic::catch_unwind(|| panic!("by design")).is_err()),
        _ => {}
    }
}
