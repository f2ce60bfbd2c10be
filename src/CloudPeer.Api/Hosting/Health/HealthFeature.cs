using System.Text.Json;
using CloudPeer.Api.Data;
using CloudPeer.Api.Hosting.Identity;
using CloudPeer.Sync.Relay;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Net.Http.Headers;

namespace CloudPeer.Api.Hosting.Health;

/// <summary><c>/health/live</c>: the process answers. <c>/health/ready</c>: it can do its work. The same over <c>grpc.health.v1</c>.</summary>
internal static class HealthFeature
{
    public const string LivePath = "/health/live";
    public const string ReadyPath = "/health/ready";

    public static IServiceCollection AddHealth(this IServiceCollection services)
    {
        services.AddGrpcHealthChecks()
            .AddCheck<DatabaseCheck>("database", timeout: ServerLimits.HealthCheck)
            .AddCheck<RelayStoreCheck>("relay", timeout: ServerLimits.HealthCheck)
            .AddCheck<DataFolderCheck>("dataFolder", timeout: ServerLimits.HealthCheck)
            .AddCheck<ServingCheck>(ServingCheck.Name, timeout: ServerLimits.HealthCheck);
        return services;
    }

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGrpcHealthChecksService();
        app.MapHealthChecks(LivePath, new HealthCheckOptions { Predicate = _ => false, ResponseWriter = WriteAsync });
        app.MapHealthChecks(ReadyPath, new HealthCheckOptions { ResponseWriter = WriteAsync });
    }

    // Says which part is not well and not why: the log says that, and this page is public.
    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        context.Response.Headers[HeaderNames.CacheControl] = "no-store";
        context.Response.ContentType = "application/json";
        var checks = report.Entries.ToDictionary(entry => entry.Key, entry => Text(entry.Value.Status), StringComparer.Ordinal);
        return context.Response.WriteAsync(JsonSerializer.Serialize(new { status = Text(report.Status), checks }), context.RequestAborted);
    }

    private static string Text(HealthStatus status) => status is HealthStatus.Healthy ? "healthy" : "unhealthy";
}

/// <summary>The database of accounts answers, and its tables are those of this version.</summary>
internal sealed class DatabaseCheck(HostSchema schema) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await schema.CheckAsync(cancellationToken);
        return HealthCheckResult.Healthy();
    }
}

/// <summary>The server is not about to stop: a balancer sends nobody here any more.</summary>
internal sealed class ServingCheck(IHostApplicationLifetime lifetime) : IHealthCheck
{
    public const string Name = "serving";

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResult.Unhealthy() : HealthCheckResult.Healthy());
}

/// <summary>The relay's store answers.</summary>
internal sealed class RelayStoreCheck(IRelayStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        await store.FindAsync(default, cancellationToken);
        return HealthCheckResult.Healthy();
    }
}

/// <summary>The data folder can be written.</summary>
internal sealed class DataFolderCheck(DataFolder folder) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        folder.CheckWritable();
        return Task.FromResult(HealthCheckResult.Healthy());
    }
}
