namespace CloudPeer.Bench.Load;

/// <summary>Reads pieces of a log and forgets them.</summary>
internal static class LogReader
{
    /// <summary>Pulls a piece.</summary>
    /// <param name="device">Who reads.</param>
    /// <param name="document">The document.</param>
    /// <param name="from">The first index.</param>
    /// <param name="until">The first index that is not wanted; 0 for the end.</param>
    /// <returns>How many envelopes there were.</returns>
    public static async Task<long> ReadAsync(LoadDevice device, LoadDocument document, ulong from, ulong until)
    {
        var envelopes = 0L;
        using var call = device.Sync.Pull(new() { Document = document.WireId, From = from, Until = until }, device.Options);
        while (await call.ResponseStream.MoveNext(CancellationToken.None)) envelopes += call.ResponseStream.Current.Entries?.Entries_.Count ?? 0;
        return envelopes;
    }
}
