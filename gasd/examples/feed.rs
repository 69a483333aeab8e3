fn main(){ let k=gasd::kernel::Kernel::open(std::path::Path::new("/run/gasd-scratch/bpf")).unwrap();
 let key=gasd_abi::records::meter_key("kitchen"); let line=k.assign(key, Default::default(), 1).unwrap();
 let n: u64=std::env::args().nth(1).unwrap().parse().unwrap(); let ms: u64=std::env::args().nth(2).unwrap().parse().unwrap();
 for _ in 0..n { for _ in 0..2 { k.edge(line, gasd::kernel::sys::boottime_ns()).unwrap(); std::thread::sleep(std::time::Duration::from_millis(ms/2)); } } }
