// SPDX-License-Identifier: MIT

//! main.rs -- a guest on candle, on the processor.
//!
//!     candle_guest WEIGHTS END
//!
//! Writes a file of weights, loads it as a program on candle does, multiplies by it and
//! prints what came out.  END is how it ends: return, exit (3), panic, or thread, which
//! computes in two threads and returns.  It knows nothing of taffrail.
use std::collections::HashMap;
use std::{env, process, thread};

use candle_core::{safetensors, DType, Device, Result, Tensor};

const WIDTH: usize = 64;

fn weights() -> Result<HashMap<String, Tensor>> {
    let of = |step: f32| -> Result<Tensor> {
        let numbers = (0..WIDTH * WIDTH).map(|i| ((i % 7) as f32 - 3.) * step).collect::<Vec<_>>();
        Tensor::from_vec(numbers, (WIDTH, WIDTH), &Device::Cpu)
    };
    Ok(HashMap::from([("up".to_string(), of(0.02)?), ("down".to_string(), of(0.03)?)]))
}

/// Twenty tokens, each from the one before.
fn generate(model: &HashMap<String, Tensor>) -> Result<f32> {
    let mut x = Tensor::ones((1, WIDTH), DType::F32, &Device::Cpu)?;
    for _ in 0..20 {
        x = x.matmul(&model["up"])?.tanh()?.matmul(&model["down"])?;
        x = (x + 0.01)?;
    }
    x.sqr()?.sum_all()?.to_scalar::<f32>()
}

fn main() -> Result<()> {
    let args: Vec<String> = env::args().collect();
    safetensors::save(&weights()?, &args[1])?;
    let model = safetensors::load(&args[1], &Device::Cpu)?;
    println!("{:.6}", generate(&model)?);
    match args[2].as_str() {
        "exit" => process::exit(3),
        "panic" => panic!("by design"),
        "thread" => thread::scope(|s| {
            let other = s.spawn(|| generate(&model));
            println!("{:.6}", generate(&model)?);
            println!("{:.6}", other.join().unwrap()?);
            Ok(())
        }),
        _ => Ok(()),
    }
}
