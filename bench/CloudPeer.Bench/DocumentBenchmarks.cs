using BenchmarkDotNet.Attributes;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Sealing;

namespace CloudPeer.Bench;

/// <summary>1,000 tasks written in one transaction, in 100, and read back from their envelopes as a replica does when it opens.</summary>
[MemoryDiagnoser]
public class DocumentBenchmarks : IDisposable
{
    private const int Tasks = 1_000;
    private static readonly System.Text.Json.JsonElement Task = Json.Parse("""{"title":"buy milk","complete":true}""");

    private readonly AccountKeys _own = Material.Account();
    private List<Envelope> _log = [];

    [GlobalSetup]
    public void Setup()
    {
        using var document = Write(10);
        _log = [.. document.Log.Select(held => held.Envelope)];
    }

    [Benchmark(Baseline = true)]
    public int InsertInOneTransaction() => Count(1);

    [Benchmark]
    public int InsertInHundredTransactions() => Count(100);

    [Benchmark]
    public string Load()
    {
        using var document = new Document(_log[0].Header.Document, _own);
        document.Receive(_log, verified: true);
        return document.ToJson();
    }

    [GlobalCleanup]
    public void Dispose()
    {
        _own.Dispose();
        GC.SuppressFinalize(this);
    }

    private int Count(int transactions)
    {
        using var document = Write(transactions);
        return document.EntryCount;
    }

    private Document Write(int transactions)
    {
        var document = Material.NewDocument(_own, out _);
        var next = 0;
        for (var i = 0; i < transactions; i++)
        {
            new DocumentAuthor(document, SystemEntropy.Instance).Edit(edit =>
            {
                for (var j = 0; j < Tasks / transactions; j++) edit.Insert(".tasks", next++, Task);
            });
        }

        return document;
    }
}
