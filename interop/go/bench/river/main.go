// Real River, measured as ferryman is: it drains no-op jobs, or says how long jobs waited.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
)

func main() {
	pool, err := pgxpool.New(context.Background(), os.Getenv("BENCH_URL"))
	if err != nil {
		log.Fatal(err)
	}
	defer pool.Close()
	measured := map[string]func(*pgxpool.Pool, int) map[string]float64{"drain": drain, "pickup": pickup}
	answer, _ := json.Marshal(measured[os.Args[1]](pool, number("BENCH_JOBS")))
	fmt.Println(string(answer))
}

func number(name string) int {
	found, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		log.Fatalf("%s must be a number: %v", name, err)
	}
	return found
}

type noop struct{}

func (noop) Kind() string { return "bench:noop" }

// drain works until the last job has begun, and counts from the first.
func drain(pool *pgxpool.Pool, jobs int) map[string]float64 {
	var seen atomic.Int64
	var began time.Time
	took := make(chan time.Duration, 1)
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(context.Context, *river.Job[noop]) error {
		switch seen.Add(1) {
		case 1:
			began = time.Now()
		case int64(jobs):
			took <- time.Since(began)
		}
		return nil
	}))
	client := start(pool, workers)
	defer stop(client)
	return map[string]float64{"per_second": float64(jobs-1) / (<-took).Seconds()}
}

type sent struct {
	Sent int64 `json:"sent"`
}

func (sent) Kind() string { return "bench:pickup" }

// pickup says how long jobs waited whose arguments say when they were sent.
func pickup(pool *pgxpool.Pool, jobs int) map[string]float64 {
	waits := make(chan float64, jobs)
	workers := river.NewWorkers()
	river.AddWorker(workers, river.WorkFunc(func(_ context.Context, job *river.Job[sent]) error {
		waits <- float64(time.Now().UnixNano()-job.Args.Sent) / 1e9
		return nil
	}))
	client := start(pool, workers)
	defer stop(client)
	fmt.Println("ready")
	var all []float64
	for len(all) < jobs {
		all = append(all, <-waits)
	}
	slices.Sort(all)
	return map[string]float64{"p50": all[jobs/2], "p99": all[jobs*99/100]}
}

// start works with as many workers, and as seldom a fetch, as the environment says.
func start(pool *pgxpool.Pool, workers *river.Workers) *river.Client[pgx.Tx] {
	client, err := river.NewClient(riverpgxv5.New(pool), &river.Config{
		FetchCooldown: time.Duration(number("BENCH_COOLDOWN")) * time.Millisecond,
		Logger:        slog.New(slog.NewTextHandler(io.Discard, nil)),
		Queues:        map[string]river.QueueConfig{"default": {MaxWorkers: number("BENCH_SLOTS")}},
		Workers:       workers,
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Start(context.Background()); err != nil {
		log.Fatal(err)
	}
	return client
}

func stop(client *river.Client[pgx.Tx]) {
	if err := client.Stop(context.Background()); err != nil {
		log.Fatal(err)
	}
}
