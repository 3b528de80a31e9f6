#!/usr/bin/env bash
# A search on the machines of a Slurm allocation: sbatch slurm.sh
# The environment in which MetaMuse and Ray are installed has to be the same on all of them (a shared folder will do).
#SBATCH --job-name=metamuse
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=32
#SBATCH --mem-per-cpu=2500M
#SBATCH --time=08:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
# Two minutes before the time is over the search is asked to end in order; sbatch again goes on with it.
#SBATCH --signal=B:TERM@120
set -euo pipefail

: "${METAMUSE_VENV:?names the virtual environment with metamuse[ray]}"
# shellcheck disable=SC1091
source "$METAMUSE_VENV/bin/activate"
export RAY_USAGE_STATS_ENABLED=0

port=$((20000 + SLURM_JOB_ID % 20000)) # of this job's own, where jobs share machines
head=$(hostname)
address=$(hostname --ip-address | awk '{print $1}'):$port

# One Ray node a machine. Keys of models stay with the search: Ray's nodes do not get them.
bare=(env -u OPENAI_API_KEY -u ANTHROPIC_API_KEY -u GEMINI_API_KEY)
srun --nodes=1 --ntasks=1 --nodelist="$head" --overlap "${bare[@]}" \
  ray start --head --node-ip-address="${address%:*}" --port="$port" --num-cpus=$((SLURM_CPUS_PER_TASK - 2)) --block &
until ray status --address="$address" >/dev/null 2>&1; do sleep 2; done
if ((SLURM_NNODES > 1)); then
  others=$((SLURM_NNODES - 1))
  srun --nodes="$others" --ntasks="$others" --exclude="$head" --overlap "${bare[@]}" \
    ray start --address="$address" --num-cpus="$SLURM_CPUS_PER_TASK" --block &
fi

# Arguments of the search, for instance: sbatch slurm.sh problem=cache llm.model=openai/gpt-4o solutions=350 budget.usd=10
if [[ -n ${SLURM_RESTART_COUNT:-} || ${1:-} == resume ]]; then
  command=(resume run=latest)
else
  command=("${@:-problem=cache}")
fi
python -m metamuse "${command[@]}" executor=ray executor.address="$address" &
search=$!
trap 'kill -TERM "$search"' TERM
code=0
wait "$search" || code=$?
if kill -0 "$search" 2>/dev/null; then # the wait was interrupted by the signal: the search is ending
  code=0
  wait "$search" || code=$?
fi
exit "$code"
