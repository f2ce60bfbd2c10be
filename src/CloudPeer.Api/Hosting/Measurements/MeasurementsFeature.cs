using System.Diagnostics.Metrics;
using CloudPeer.Api.Hosting.Settings;
using CloudPeer.Sync.Relay;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace CloudPeer.Api.Hosting.Measurements;

/// <summary>Metrics for Prometheus on a port of their own, and traces for a collector, if they are asked for (docs/operations/metrics.md).</summary>
internal static class MeasurementsFeature
{
    private static readonly string[] Meters = [RelayMetrics.Name, "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "Npgsql", "System.Runtime"];
    private static readonly string[] Sources = [RelayMetrics.Name, "Microsoft.AspNetCore"];

    public static IServiceCollection AddMeasurements(this IServiceCollection services, ServerSettings settings)
    {
        services.AddMetrics()
            .AddSingleton(provider => provider.GetRequiredService<IMeterFactory>().Create(RelayMetrics.Name))
            .AddSingleton<RelayMetrics>()
            .AddSingleton<HostMetrics>();
        if (settings.MetricsPort > 0) OpenTelemetry(services).WithMetrics(metrics => metrics.AddMeter(Meters).AddPrometheusExporter());
        if (settings.OtlpUrl is { } collector) OpenTelemetry(services).WithTracing(traces => traces.AddSource(Sources).AddOtlpExporter(otlp => otlp.Endpoint = collector));
        return services;
    }

    /// <summary>Answers on the port for metrics, which knows nothing else.</summary>
    public static void UseMeasurements(this IApplicationBuilder app, ServerSettings settings)
    {
        if (settings.MetricsPort == 0) return;
        app.MapWhen(context => context.Connection.LocalPort == settings.MetricsPort, metrics => metrics.UseOpenTelemetryPrometheusScrapingEndpoint());
    }

    private static OpenTelemetryBuilder OpenTelemetry(IServiceCollection services) =>
        services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("cloudpeer", serviceVersion: ProductVersion.Text));
}
