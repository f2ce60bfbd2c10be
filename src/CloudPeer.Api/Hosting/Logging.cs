using System.Globalization;
using CloudPeer.Api.Hosting.Health;
using CloudPeer.Api.Hosting.Settings;
using Serilog;
using Serilog.Core;
using Serilog.Events;
using Serilog.Filters;
using Serilog.Formatting.Compact;

namespace CloudPeer.Api.Hosting;

/// <summary>
/// Log lines go to standard error, so that standard output holds the ready line and nothing else. No log line holds a key, token,
/// path of a document or ciphertext.
/// </summary>
internal static class Logging
{
    private const string Template = "{Timestamp:HH:mm:ss} {Level:u3} {Message:lj}{NewLine}{Exception}";

    public static void Configure(LoggerConfiguration configuration, ServerSettings settings, ILogEventSink? instead)
    {
        configuration
            .MinimumLevel.Is(settings.LogLevel)
            .MinimumLevel.Override("Microsoft", AtLeast(settings, LogEventLevel.Warning))
            // A row that exists already is an answer; a database that fails is logged once, by the caller, with our own number.
            .MinimumLevel.Override("Microsoft.EntityFrameworkCore", LogEventLevel.Fatal)
            .MinimumLevel.Override("System", AtLeast(settings, LogEventLevel.Warning))
            // A refused call is an answer, not an event, and so is a message that cannot be read; what is unexpected is logged by the interceptor with our own number.
            .MinimumLevel.Override("Grpc", LogEventLevel.Fatal)
            .Filter.ByExcluding(IsStartupFailure)
            // Not to be ready is how a stop begins, and no failure.
            .Filter.ByExcluding(Matching.WithProperty("HealthCheckName", ServingCheck.Name))
            .Enrich.FromLogContext();
        if (instead is not null) configuration.WriteTo.Sink(instead);
        else if (IsText(settings.LogFormat))
            configuration.WriteTo.Console(outputTemplate: Template, formatProvider: CultureInfo.InvariantCulture, standardErrorFromLevel: LogEventLevel.Verbose);
        else configuration.WriteTo.Console(new CompactJsonFormatter(), standardErrorFromLevel: LogEventLevel.Verbose);
    }

    // The start's failure is told in one line by the command; the framework would add its stack trace.
    private static bool IsStartupFailure(LogEvent log) => log.MessageTemplate.Text is "Unable to start Kestrel." or "Hosting failed to start";

    private static bool IsText(LogFormat format) => format switch
    {
        LogFormat.Text => true,
        LogFormat.Json => false,
        LogFormat.Auto => !Console.IsErrorRedirected || IsDevelopment,
    };

    private static bool IsDevelopment =>
        (Environment.GetEnvironmentVariable("DOTNET_ENVIRONMENT") ?? Environment.GetEnvironmentVariable("ASPNETCORE_ENVIRONMENT")) is "Development";

    private static LogEventLevel AtLeast(ServerSettings settings, LogEventLevel level) =>
        settings.LogLevel > level || settings.LogLevel <= LogEventLevel.Debug ? settings.LogLevel : level;
}
