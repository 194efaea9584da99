package main

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// migrate moves the tables to a version as the river command does, or says what is wrong with them.
func migrate(ctx context.Context, pool *pgxpool.Pool, r request) (any, error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: quiet()})
	if err != nil {
		return nil, err
	}
	if r.Call == "validate" {
		found, err := migrator.Validate(ctx, nil)
		if err != nil {
			return nil, err
		}
		return found.Messages, nil
	}
	direction := rivermigrate.DirectionDown
	if r.Up {
		direction = rivermigrate.DirectionUp
	}
	done, err := migrator.Migrate(ctx, direction, &rivermigrate.MigrateOpts{TargetVersion: r.Version})
	if err != nil {
		return nil, err
	}
	versions := []int{}
	for _, each := range done.Versions {
		versions = append(versions, each.Version)
	}
	return versions, nil
}
