#!/bin/bash
# Starts a server with all GPUs on each node, and a run that asks them all. Submit it again to resume.
#
#   sbatch --nodes=8 jobs/slurm.sh Qwen/Qwen3-8B instruction -l fra,swh -n 1000000 -o runs/sayings
#
# The first argument is the model, the others are those of `glotmill run`. The run folder belongs on a file
# system that all nodes share and that has locks, such as Lustre or NFS 4.
#SBATCH --job-name=glotmill
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=8
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@120
set -euo pipefail

model=$1
shift
port=${PORT:-8000}
gpus=${SLURM_GPUS_ON_NODE:-8}

# Other users of the cluster reach the port too: the servers want a key, which only this job knows.
VLLM_API_KEY=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
export VLLM_API_KEY OPENAI_API_KEY=$VLLM_API_KEY VLLM_NO_USAGE_STATS=1

run=""
# shellcheck disable=SC2329 # called by a trap, as is the next one
stop() { # two minutes before the time is over: glotmill stops cleanly
  if [[ -z $run ]]; then exit 143; fi
  kill -TERM "$run" 2>/dev/null || true
}
# shellcheck disable=SC2329
end() {
  mapfile -t left < <(jobs -p)
  kill "${left[@]}" 2>/dev/null || true
  wait
}
trap stop TERM
trap end EXIT

srun --no-kill --kill-on-bad-exit=0 \
  vllm serve "$model" --port "$port" --data-parallel-size "$gpus" --enable-prefix-caching &
servers=$!

urls=()
for node in $(scontrol show hostnames "$SLURM_JOB_NODELIST"); do
  url="http://$node:$port/v1"
  until curl --silent --fail --output /dev/null --header "Authorization: Bearer $VLLM_API_KEY" "$url/models"; do
    kill -0 "$servers" || { echo "the servers ended before $node answered" >&2; exit 1; }
    sleep "${POLL_S:-5}"
  done
  urls+=("$url")
done

glotmill run "$@" --engine openai --model "$model" --engine-arg "base_url=$(IFS=,; echo "${urls[*]}")" &
run=$!
code=0
wait "$run" || code=$?
while kill -0 "$run" 2>/dev/null; do wait "$run" && code=0 || code=$?; done # the signal ended the first wait
exit "$code"
