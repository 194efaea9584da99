// Real asynq, measured as ferryman is: it drains no-op jobs, or says how long jobs waited.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/hibiken/asynq"
)

func main() {
	redis, err := asynq.ParseRedisURI(os.Getenv("BENCH_URL"))
	if err != nil {
		log.Fatal(err)
	}
	jobs, slots := number("BENCH_JOBS"), number("BENCH_SLOTS")
	measured := map[string]func() map[string]float64{
		"drain":  func() map[string]float64 { return drain(redis, jobs, slots) },
		"pickup": func() map[string]float64 { return pickup(redis, jobs) },
	}
	answer, _ := json.Marshal(measured[os.Args[1]]())
	fmt.Println(string(answer))
}

func number(name string) int {
	found, err := strconv.Atoi(os.Getenv(name))
	if err != nil {
		log.Fatalf("%s must be a number: %v", name, err)
	}
	return found
}

// drain works until the last job has begun, and counts from the first.
func drain(redis asynq.RedisConnOpt, jobs, slots int) map[string]float64 {
	var seen atomic.Int64
	var began time.Time
	took := make(chan time.Duration, 1)
	server := start(redis, slots, "bench:noop", func(context.Context, *asynq.Task) error {
		switch seen.Add(1) {
		case 1:
			began = time.Now()
		case int64(jobs):
			took <- time.Since(began)
		}
		return nil
	})
	defer server.Shutdown()
	return map[string]float64{"per_second": float64(jobs-1) / (<-took).Seconds()}
}

// pickup says how long jobs waited whose payload says when they were sent.
func pickup(redis asynq.RedisConnOpt, jobs int) map[string]float64 {
	waits := make(chan float64, jobs)
	server := start(redis, 10, "bench:pickup", func(_ context.Context, task *asynq.Task) error {
		now := time.Now().UnixNano()
		var args struct{ Sent int64 }
		if err := json.Unmarshal(task.Payload(), &args); err != nil {
			return err
		}
		waits <- float64(now-args.Sent) / 1e9
		return nil
	})
	defer server.Shutdown()
	fmt.Println("ready")
	var all []float64
	for len(all) < jobs {
		all = append(all, <-waits)
	}
	slices.Sort(all)
	return map[string]float64{"p50": all[jobs/2], "p99": all[jobs*99/100]}
}

func start(redis asynq.RedisConnOpt, slots int, kind string, work asynq.HandlerFunc) *asynq.Server {
	server := asynq.NewServer(redis, asynq.Config{Concurrency: slots, LogLevel: asynq.WarnLevel})
	mux := asynq.NewServeMux()
	mux.HandleFunc(kind, work)
	if err := server.Start(mux); err != nil {
		log.Fatal(err)
	}
	return server
}
