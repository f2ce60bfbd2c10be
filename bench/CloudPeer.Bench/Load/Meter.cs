using System.Diagnostics;

namespace CloudPeer.Bench.Load;

/// <summary>What server, database and client used between two moments.</summary>
internal sealed class Meter
{
    private readonly LoadServer _server;
    private readonly LoadOptions _options;
    private readonly long _started;
    private readonly ProcessUse _serverBefore, _databaseBefore, _clientBefore;

    private Meter(LoadServer server, LoadOptions options)
    {
        _server = server;
        _options = options;
        server.ResetPeak();
        _databaseBefore = server.DatabaseUse;
        _clientBefore = ProcessUse.Of(Environment.ProcessId);
        _serverBefore = server.Use;
        _started = Stopwatch.GetTimestamp();
    }

    /// <summary>Begins to count.</summary>
    public static Meter Start(LoadServer server, LoadOptions options) => new(server, options);

    /// <summary>A line with what was used since the start.</summary>
    /// <param name="envelopes">Envelopes that count.</param>
    /// <param name="variant">What distinguishes the line.</param>
    public LoadLine Stop(long envelopes, string? variant = null)
    {
        var seconds = Stopwatch.GetElapsedTime(_started).TotalSeconds;
        var (server, database, client) = (_server.Use, _server.DatabaseUse, ProcessUse.Of(Environment.ProcessId));
        var cpu = server.CpuSeconds - _serverBefore.CpuSeconds;
        var databaseCpu = database.CpuSeconds - _databaseBefore.CpuSeconds;
        return new()
        {
            Work = _options.Work,
            Store = _options.Store,
            Variant = variant,
            Pinned = _options.Pin,
            Envelopes = envelopes,
            Rate = Math.Round(envelopes / seconds, 1),
            Seconds = Math.Round(seconds, 3),
            ServerCpuSeconds = Math.Round(cpu, 2),
            DatabaseCpuSeconds = databaseCpu > 0 ? Math.Round(databaseCpu, 2) : null,
            ClientCpuSeconds = Math.Round(client.CpuSeconds - _clientBefore.CpuSeconds, 2),
            CpuMicrosEach = envelopes > 0 ? Math.Round((cpu + databaseCpu) * 1e6 / envelopes, 1) : null,
            ServerResidentBytes = server.ResidentBytes,
            ServerPeakBytes = server.PeakBytes,
            DatabaseBytes = database.ResidentBytes > 0 ? database.ResidentBytes : null,
            MachineLoad = Surroundings.Load,
        };
    }
}
