package main

import (
	"encoding/json"
	"time"

	"github.com/hibiken/asynq"
)

// planned is one thing to enqueue by the clock.
type planned struct {
	Spec string `json:"spec"`
	Job  job    `json:"job"`
}

func schedule(redis asynq.RedisConnOpt, said []string) error {
	var plan []planned
	if err := json.Unmarshal([]byte(said[0]), &plan); err != nil {
		return err
	}
	scheduler := asynq.NewScheduler(redis, &asynq.SchedulerOpts{LogLevel: quiet, HeartbeatInterval: time.Second})
	for _, each := range plan {
		options, err := each.Job.options()
		if err != nil {
			return err
		}
		id, err := scheduler.Register(each.Spec, each.Job.task(), options...)
		if err != nil {
			return err
		}
		say(map[string]string{"said": "registered", "id": id, "spec": each.Spec})
	}
	if err := scheduler.Start(); err != nil {
		return err
	}
	say(map[string]string{"said": "ready"})
	stopped()
	scheduler.Shutdown()
	say(map[string]string{"said": "stopped"})
	return nil
}
