//! What the machine itself can do, measured beside the program: HTTP without the work, the disk's sync.

use std::fs::File;
use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};

use super::http;

/// Requests that the program's own HTTP server answers without any work, one after the other on each connection.
///
/// # Errors
/// Where the other side refuses or breaks.
pub fn bare_http(address: &str, path: &str, connections: usize, lasts: Duration) -> Result<(f64, Vec<Duration>)> {
    let began = Instant::now();
    let ask = || -> Result<Vec<Duration>> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let mut answers = BufReader::new(stream.try_clone()?);
        let mut latencies = Vec::new();
        while began.elapsed() < lasts {
            let asked = Instant::now();
            http::send(&mut stream, "GET", path, &[], b"")?;
            let answer = http::read(&mut answers)?.context("the server closed a connection")?;
            if answer.status()? != 200 {
                bail!("GET {path}: {}", answer.first_line);
            }
            latencies.push(asked.elapsed());
        }
        Ok(latencies)
    };
    let all: Vec<Result<Vec<Duration>>> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..connections).map(|_| scope.spawn(ask)).collect();
        asking.into_iter().map(|one| one.join().map_err(|_| anyhow!("an asker broke"))?).collect()
    });
    let took = began.elapsed();
    let latencies = all.into_iter().collect::<Result<Vec<_>>>()?.concat();
    Ok((latencies.len() as f64 / took.as_secs_f64(), latencies))
}

/// Appends of 4 KiB, each synced before the next.
///
/// # Errors
/// Where the folder cannot be written.
pub fn disk_sync(folder: &Path, lasts: Duration) -> Result<Vec<Duration>> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join("sync");
    let mut file = File::create(&path)?;
    let block = [7; 4096];
    let mut latencies = Vec::new();
    let began = Instant::now();
    while began.elapsed() < lasts {
        let asked = Instant::now();
        file.write_all(&block)?;
        file.sync_data()?;
        latencies.push(asked.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(latencies)
}
