// SPDX-License-Identifier: MIT

//! main.rs -- a guest on cudarc, the CUDA layer of candle and mistral.rs.
//!
//!     cudarc_guest END [numbers]
//!
//! Two models one after the other, each with memory of its pool and of the host, a second
//! stream and events; ten tokens of the first, ten of the second after a pause.  END is how it
//! ends:
//!
//!     return   everything is given back
//!     exit     by exit(3) in the middle of a kernel, nothing is given back
//!     forget   from main, in the middle of a kernel, nothing is given back
//!     panic    by a panic in the middle of a kernel; what it has is dropped on the way
//!     graph    as return; the tokens are launches of a graph that was captured
//!     threads  as return; the tokens come from two threads at once
//!
//! With `numbers` each sum is looked at, which takes a device that computes: a wrong one is
//! said, and the status is 1.  It knows nothing of taffrail.
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, mem, process, thread};

use cudarc::driver::{sys, CudaContext, CudaFunction, CudaSlice, CudaStream, DriverError};
use cudarc::driver::{LaunchConfig, PinnedHostSlice, PushKernelArg};
use cudarc::nvrtc::Ptx;

const LEN: usize = 1 << 18;
const TOKENS: u32 = 10;
const SPIN_NS: u64 = 300_000_000;

/// add: sum[i] = a[i] + b[i].  spin: until so many nanoseconds of the device have gone by.
const KERNELS: &str = "
.version 6.3
.target sm_75
.address_size 64

.visible .entry add(.param .u64 sum, .param .u64 a, .param .u64 b, .param .u32 len)
{
	.reg .pred %past;
	.reg .u32 %i, %block, %width, %len;
	.reg .u64 %at, %from;
	.reg .f32 %x, %y;

	mov.u32 %i, %tid.x;
	mov.u32 %block, %ctaid.x;
	mov.u32 %width, %ntid.x;
	mad.lo.u32 %i, %block, %width, %i;
	ld.param.u32 %len, [len];
	setp.ge.u32 %past, %i, %len;
	@%past bra done;
	ld.param.u64 %from, [a];
	cvta.to.global.u64 %from, %from;
	mad.wide.u32 %at, %i, 4, %from;
	ld.global.f32 %x, [%at];
	ld.param.u64 %from, [b];
	cvta.to.global.u64 %from, %from;
	mad.wide.u32 %at, %i, 4, %from;
	ld.global.f32 %y, [%at];
	add.f32 %x, %x, %y;
	ld.param.u64 %from, [sum];
	cvta.to.global.u64 %from, %from;
	mad.wide.u32 %at, %i, 4, %from;
	st.global.f32 [%at], %x;
done:
	ret;
}

.visible .entry spin(.param .u64 ns)
{
	.reg .pred %early;
	.reg .u64 %start, %now, %ns;

	ld.param.u64 %ns, [ns];
	mov.u64 %start, %globaltimer;
again:
	mov.u64 %now, %globaltimer;
	sub.u64 %now, %now, %start;
	setp.lt.u64 %early, %now, %ns;
	@%early bra again;
	ret;
}
";

type Done<T> = Result<T, DriverError>;

/// a and b are weights, sum is what a token is computed into.
struct Model {
    main: Arc<CudaStream>,
    side: Arc<CudaStream>,
    add: CudaFunction,
    spin: CudaFunction,
    a: CudaSlice<f32>,
    b: CudaSlice<f32>,
    sum: CudaSlice<f32>,
    seen: PinnedHostSlice<f32>,
    scale: usize,
    looks: bool,
}

impl Model {
    fn load(ctx: &Arc<CudaContext>, scale: usize, looks: bool) -> Done<Model> {
        let (main, side) = (ctx.new_stream()?, ctx.new_stream()?);
        let module = ctx.load_module(Ptx::from_src(KERNELS))?;
        let of = |step: usize| (0..LEN).map(|i| (i * step) as f32).collect::<Vec<_>>();
        let model = Model {
            add: module.load_function("add")?,
            spin: module.load_function("spin")?,
            a: main.clone_htod(&of(scale))?,
            b: main.clone_htod(&of(1))?,
            sum: main.alloc_zeros(LEN)?,
            seen: unsafe { ctx.alloc_pinned(LEN) }?,
            main,
            side,
            scale,
            looks,
        };
        model.main.synchronize()?;
        println!("loaded {} bytes", model.a.num_bytes() * 3);
        Ok(model)
    }

    /// The sum of a token: on the main stream and, after it, on the other.
    fn launch(&mut self) -> Done<()> {
        let shape = LaunchConfig::for_num_elems(LEN as u32);
        let len = LEN as u32;
        for stream in [&self.main, &self.side] {
            let mut call = stream.launch_builder(&self.add);
            call.arg(&mut self.sum).arg(&self.a).arg(&self.b).arg(&len);
            unsafe { call.launch(shape) }?;
        }
        self.main.join(&self.side)
    }

    fn look(&mut self, token: u32) -> Done<()> {
        self.main.memcpy_dtoh(&self.sum, &mut self.seen)?;
        let seen = self.seen.as_slice()?;
        let wrong = seen.iter().enumerate().filter(|&(i, &x)| x != (i * (self.scale + 1)) as f32).count();
        if self.looks && wrong > 0 {
            println!("token {token}: {wrong} sums are wrong");
            process::exit(1);
        }
        self.main.memset_zeros(&mut self.sum)
    }

    fn generate(&mut self) -> Done<()> {
        for token in 0..TOKENS {
            self.launch()?;
            self.look(token)?;
        }
        println!("{TOKENS} tokens");
        Ok(())
    }

    /// The same from a graph. What a capture must not meet are events from before it.
    fn generate_captured(&mut self) -> Done<()> {
        self.main.synchronize()?;
        self.side.synchronize()?;
        self.main.begin_capture(sys::CUstreamCaptureMode::CU_STREAM_CAPTURE_MODE_THREAD_LOCAL)?;
        let launched = self.launch_in_capture();
        let graph = self.main.end_capture(sys::CUgraphInstantiate_flags(0))?.expect("a graph");
        launched?;
        for token in 0..TOKENS {
            graph.launch()?;
            self.look(token)?;
        }
        println!("{TOKENS} tokens");
        self.main.synchronize()
    }

    fn launch_in_capture(&mut self) -> Done<()> {
        let len = LEN as u32;
        let mut call = self.main.launch_builder(&self.add);
        call.arg(&mut self.sum).arg(&self.a).arg(&self.b).arg(&len);
        unsafe { call.launch(LaunchConfig::for_num_elems(len)) }.map(|_| ())
    }

    fn spin(&self) -> Done<()> {
        let shape = LaunchConfig { grid_dim: (1, 1, 1), block_dim: (1, 1, 1), shared_mem_bytes: 0 };
        let mut call = self.side.launch_builder(&self.spin);
        call.arg(&SPIN_NS);
        unsafe { call.launch(shape) }.map(|_| ())
    }
}

/// How long the kernel that is waited for takes, by events of the device.
fn time(model: &Model) -> Done<()> {
    let flags = Some(sys::CUevent_flags::CU_EVENT_DEFAULT);
    let begin = Instant::now();
    let start = model.side.record_event(flags)?;
    model.spin()?;
    let end = model.side.record_event(flags)?;
    let ms = start.elapsed_ms(&end)?;
    if model.looks && (ms < 299.0 || begin.elapsed() < Duration::from_millis(299)) {
        println!("the kernel took {ms} ms, and must take 300");
        process::exit(1);
    }
    Ok(())
}

fn run(end: &str, looks: bool) -> Done<()> {
    let ctx = CudaContext::new(0)?;
    if end == "graph" {
        // Events between the slices and their streams would be waited for inside the capture.
        unsafe { ctx.disable_event_tracking() };
    }
    let mut first = Model::load(&ctx, 2, looks)?;
    first.generate()?;
    time(&first)?;
    drop(first);
    thread::sleep(Duration::from_millis(1400));

    let mut second = Model::load(&ctx, 3, looks)?;
    match end {
        "graph" => second.generate_captured()?,
        "threads" => {
            let mut third = Model::load(&ctx, 4, looks)?;
            thread::scope(|s| {
                let other = s.spawn(|| third.generate());
                second.generate().and(other.join().unwrap())
            })?;
        }
        _ => second.generate()?,
    }
    match end {
        "exit" => {
            second.spin()?;
            process::exit(3);
        }
        "forget" => {
            second.spin()?;
            mem::forget((second, ctx));
        }
        "panic" => {
            second.spin()?;
            panic!("by design");
        }
        _ => {}
    }
    Ok(())
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let end = args.get(1).map_or("return", String::as_str);
    let looks = args.get(2).is_some_and(|word| word == "numbers");
    if let Err(error) = run(end, looks) {
        println!("{error:?}");
        process::exit(2);
    }
}
