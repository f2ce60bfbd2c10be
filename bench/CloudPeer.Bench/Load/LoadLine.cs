using System.Text.Json;
using System.Text.Json.Serialization;

namespace CloudPeer.Bench.Load;

/// <summary>One measurement: a JSON line on the standard output. What does not apply is left out.</summary>
internal sealed record LoadLine
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    };

    /// <summary>The work, such as <c>W1a</c>.</summary>
    public required string Work { get; init; }

    /// <summary>What the server stores in.</summary>
    public required string Store { get; init; }

    /// <summary>What distinguishes this line from others of the work.</summary>
    public string? Variant { get; init; }

    /// <summary>Envelopes per second.</summary>
    public double? Rate { get; init; }

    /// <summary>Percentiles of what the work times, milliseconds.</summary>
    public double? P50 { get; init; }

    /// <inheritdoc cref="P50"/>
    public double? P95 { get; init; }

    /// <inheritdoc cref="P50"/>
    public double? P99 { get; init; }

    /// <inheritdoc cref="P50"/>
    public double? Max { get; init; }

    /// <summary>A figure against another of the same run; <see cref="Variant"/> says which.</summary>
    public double? Ratio { get; init; }

    /// <summary>Envelopes that count.</summary>
    public long? Envelopes { get; init; }

    /// <summary>Bytes of one envelope.</summary>
    public int? EnvelopeBytes { get; init; }

    /// <summary>Pushes refused, receipts that do not verify, envelopes that did not arrive. Anything but 0 makes the line worthless.</summary>
    public long Errors { get; init; }

    /// <summary>How long was measured.</summary>
    public double? Seconds { get; init; }

    /// <summary>How long the same was done before that.</summary>
    public double? WarmUpSeconds { get; init; }

    /// <summary>A client's time to check what it received, apart from receiving it, milliseconds.</summary>
    public double? ClientVerifyMs { get; init; }

    /// <summary>The server's memory for one of what the work makes many of.</summary>
    public double? BytesEach { get; init; }

    /// <summary>Processor time while it was measured.</summary>
    public double? ServerCpuSeconds { get; init; }

    /// <inheritdoc cref="ServerCpuSeconds"/>
    public double? DatabaseCpuSeconds { get; init; }

    /// <inheritdoc cref="ServerCpuSeconds"/>
    public double? ClientCpuSeconds { get; init; }

    /// <summary>The server's and its database's processor time per envelope, microseconds.</summary>
    public double? CpuMicrosEach { get; init; }

    /// <summary>The server's resident memory at the end, and the most of it while it was measured.</summary>
    public long? ServerResidentBytes { get; init; }

    /// <inheritdoc cref="ServerResidentBytes"/>
    public long? ServerPeakBytes { get; init; }

    /// <summary>Memory of the database's processes at the end, each shared page counted once.</summary>
    public long? DatabaseBytes { get; init; }

    /// <summary>True if server and client had a processor each.</summary>
    public bool Pinned { get; init; }

    /// <summary>The 1-minute load of the machine, of which this run is a part.</summary>
    public double? MachineLoad { get; init; }

    /// <summary>The checkout's commit.</summary>
    public string Commit { get; init; } = Surroundings.Commit;

    /// <summary>The processor.</summary>
    public string Machine { get; init; } = Surroundings.Machine;

    /// <summary>A line from its text; null if it is none.</summary>
    public static LoadLine? Read(string text) => text.StartsWith('{') ? JsonSerializer.Deserialize<LoadLine>(text, Format) : null;

    /// <summary>Writes the line.</summary>
    public void Print() => Console.WriteLine(JsonSerializer.Serialize(this, Format));
}
