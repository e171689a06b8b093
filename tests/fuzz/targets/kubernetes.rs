//! Manifests of Kubernetes, and the file of hosts that kubelet gives a pod.
#![no_main]

use pysweep::extract::kubernetes;
use pysweep::model::pod::{Pod, of_docker_name};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let (pods, _) = kubernetes::parse(bytes);
    assert!(pods.iter().all(|pod| pod.name.len() <= Pod::LONGEST_NAME && pod.line.is_some_and(|line| line >= 1)));
    assert!(kubernetes::pod_of_hosts(bytes).is_none_or(|(line, name)| line >= 1 && !name.is_empty()));
    let _name = of_docker_name(&String::from_utf8_lossy(bytes));
});
