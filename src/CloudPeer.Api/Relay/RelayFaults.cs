using CloudPeer.Api.Relay.Store;
using Tlfs.Core;

namespace CloudPeer.Api.Relay;

/// <summary>What the relay reports, as lines of the log. A damaged file is named once an hour, however often it is asked for.</summary>
internal sealed partial class RelayFaults(ILogger<RelayFaults> log, TimeProvider clock)
{
    // Past it the files are named anew.
    private const int MaxRemembered = 1000;
    private static readonly TimeSpan Silence = TimeSpan.FromHours(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<StoredBlob, long> _named = [];

    /// <summary>Takes a fault; never throws.</summary>
    public void Take(Exception fault)
    {
        if (fault.InnerException is DamagedBlobException damaged) Name(damaged);
        else if (fault is TlfsException { IsTransient: true }) LogUnavailable(fault);
        else LogUnexpected(fault);
    }

    private void Name(DamagedBlobException damaged)
    {
        lock (_gate)
        {
            if (_named.TryGetValue(damaged.Blob, out var last) && clock.GetElapsedTime(last) < Silence) return;
            if (_named.Count >= MaxRemembered) _named.Clear();
            _named[damaged.Blob] = clock.GetTimestamp();
        }

        LogDamagedBlob(damaged.Message);
    }

    [LoggerMessage(EventId = 1201, Level = LogLevel.Warning, Message = "The relay's store cannot be used now")]
    private partial void LogUnavailable(Exception fault);

    [LoggerMessage(EventId = 1206, Level = LogLevel.Error, Message = "{Fault} Restore the file from a backup (docs/operations/restore.md)")]
    private partial void LogDamagedBlob(string fault);

    [LoggerMessage(EventId = 1202, Level = LogLevel.Error, Message = "The relay failed unexpectedly")]
    private partial void LogUnexpected(Exception fault);
}
