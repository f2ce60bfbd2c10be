using System.Net;
using CloudPeer.Sync.Relay;

namespace CloudPeer.Api.Hosting.Settings;

/// <summary>The validated settings of a server. Made by <see cref="SettingParser"/>.</summary>
internal sealed record ServerSettings
{
    public required int HttpPort { get; init; }
    public required int GrpcPort { get; init; }

    /// <summary>Null stands for <c>localhost</c>: both loopback addresses.</summary>
    public required IPAddress? Bind { get; init; }

    /// <summary>Null: made from the address on which the server listens.</summary>
    public required Uri? BaseUrl { get; init; }

    /// <summary>Null: made from the address on which the server listens.</summary>
    public required Uri? GrpcUrl { get; init; }

    /// <summary>Absolute.</summary>
    public required string DataDir { get; init; }

    /// <summary>Npgsql's connection string, or null for the embedded store.</summary>
    public required string? PostgresConnection { get; init; }

    /// <summary>Npgsql's connection string to listen by, or null for <see cref="PostgresConnection"/>.</summary>
    public required string? PostgresListenConnection { get; init; }

    /// <summary>Absolute; null for the store's own choice.</summary>
    public required string? BlobDir { get; init; }

    public required string Name { get; init; }
    public required bool RegistrationOpen { get; init; }

    /// <summary>What every account may use while payments are off.</summary>
    public required TenantLimits LocalPlan { get; init; }

    /// <summary>0 for no limit.</summary>
    public required int CallsPerSecond { get; init; }

    /// <summary>0 for no limit.</summary>
    public required int AddressCallsPerSecond { get; init; }

    public required bool Reflection { get; init; }
    public required LogFormat LogFormat { get; init; }
    public required Serilog.Events.LogEventLevel LogLevel { get; init; }

    /// <summary>True when only this machine can reach the server.</summary>
    public bool IsLoopbackOnly => Bind is null || IPAddress.IsLoopback(Bind);

    /// <summary>True when the server listens on every address, so that none of them is its name.</summary>
    public bool IsAnyAddress => Bind is not null && (Bind.Equals(IPAddress.Any) || Bind.Equals(IPAddress.IPv6Any));

    /// <summary>A file in the data folder.</summary>
    public string DataFile(string name) => Path.Combine(DataDir, name);
}

/// <summary>How log lines look.</summary>
internal enum LogFormat
{
    /// <summary>Text on a terminal and in development, else JSON.</summary>
    Auto,
    /// <summary>For people.</summary>
    Text,
    /// <summary>Compact JSON, one object per line.</summary>
    Json,
}
