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

    /// <summary>Of all devices of an account together; 0 for no limit.</summary>
    public required int AccountCallsPerSecond { get; init; }

    /// <summary>0 for no limit.</summary>
    public required int AddressCallsPerSecond { get; init; }

    /// <summary>Open connections of one address; 0 for no limit.</summary>
    public required int AddressConnections { get; init; }

    /// <summary>Open connections of all; 0 for no limit.</summary>
    public required int MaxConnections { get; init; }

    /// <summary>Documents that one stream may be subscribed to.</summary>
    public required int MaxSubscriptions { get; init; }

    /// <summary>The networks of proxies whose word about a caller's address is taken.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    public required bool Reflection { get; init; }

    /// <summary>0 for none.</summary>
    public required int MetricsPort { get; init; }

    /// <summary>Null for none.</summary>
    public required Uri? OtlpUrl { get; init; }

    public required LogFormat LogFormat { get; init; }
    public required Serilog.Events.LogEventLevel LogLevel { get; init; }

    /// <summary>True when the server listens on every address, so that none of them is its name.</summary>
    public bool IsAnyAddress => Bind is not null && (Bind.Equals(IPAddress.Any) || Bind.Equals(IPAddress.IPv6Any));

    /// <summary>True for the address of a trusted proxy.</summary>
    public bool IsTrustedProxy(IPAddress? address)
    {
        if (address is { IsIPv4MappedToIPv6: true }) address = address.MapToIPv4();
        return address is not null && TrustedProxies.Any(network => network.Contains(address));
    }

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
