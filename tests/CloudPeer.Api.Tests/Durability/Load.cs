using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Client;
using CloudPeer.TestKit;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Durability;

/// <summary>Many writers on several documents of one tenant, and what has to hold of them whatever happens to the server.</summary>
internal sealed class Load : IDisposable
{
    private readonly SigningKey _owner;
    private readonly KemKey _kem;
    private readonly List<LoadDocument> _documents;
    private readonly List<LoadWriter> _writers;
    private int _receipts;

    /// <param name="seed">Makes keys and envelopes.</param>
    /// <param name="server">The server to which Sync is granted.</param>
    /// <param name="documents">Documents.</param>
    /// <param name="writersPerDocument">Writers of each.</param>
    public Load(ulong seed, PeerId server, int documents, int writersPerDocument)
    {
        var entropy = new SeededEntropy(seed);
        Server = server;
        _owner = SigningKey.Generate(entropy);
        _kem = KemKey.Generate(entropy);
        _documents = [.. Enumerable.Range(1, documents).Select(number => new LoadDocument(seed + (ulong)number, _owner, server, writersPerDocument))];
        _writers = [.. _documents.SelectMany(document => document.Writers)];
    }

    public PeerId Server { get; }

    /// <summary>Envelopes that were acknowledged.</summary>
    public int Receipts => Volatile.Read(ref _receipts);

    /// <summary>Entries of all logs that were checked.</summary>
    public int Entries => _documents.Sum(document => document.Size);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Makes the owner a tenant and pushes the documents' beginnings.</summary>
    public async Task HostAsync(ServerNode node)
    {
        await using var connection = Connect(node);
        await connection.CreateAccountAsync(TestDevice.MakeCard(SystemEntropy.Instance, _owner, _kem, 1), null, Cancel);
        foreach (var document in _documents)
            Assert.Null(Assert.Single(await connection.PushAsync(document.Id, [document.Beginning], Cancel)).Refusal);
    }

    /// <summary>Fills each writer's outbox up to a number of envelopes; not while they run.</summary>
    public void Prepare(int perWriter) => Parallel.ForEach(_documents, document => document.Prepare(perWriter));

    /// <summary>All writers push at once to one node until their outboxes are empty or the node fails.</summary>
    /// <param name="node">The node.</param>
    /// <param name="after">So many receipts from now the event happens.</param>
    /// <param name="happen">The event; called once.</param>
    /// <returns>Why each writer ended: null when it is done.</returns>
    public async Task<Reason?[]> RunAsync(ServerNode node, int after, Func<Task> happen)
    {
        var counter = new Countdown(this, after);
        var running = _writers.Select(writer => Task.Run(() => writer.RunAsync(node.GrpcUrl, Server, 0, counter.Receive, Cancel)));
        var all = Task.WhenAll(running);
        await Task.WhenAny(all, counter.Reached);
        if (counter.Reached.IsCompleted) await happen();
        return await all;
    }

    /// <summary>All writers push so many envelopes more, whatever happens, each beginning with another node and moving on when one fails.</summary>
    /// <param name="nodes">The nodes.</param>
    /// <param name="more">Envelopes of each writer, or all that it has left.</param>
    /// <param name="after">So many receipts from now the event happens.</param>
    /// <param name="happen">The event, if there is one; called once.</param>
    public async Task FinishAsync(IReadOnlyList<ServerNode> nodes, int more, int after = 0, Func<Task>? happen = null)
    {
        var counter = new Countdown(this, after);
        string[] urls = [.. nodes.Select(node => node.GrpcUrl)];
        var all = Task.WhenAll(_writers.Select((writer, i) => Task.Run(() => writer.RunAsync(urls, i, Server, Math.Max(0, writer.Outbox.Count - more), counter.Receive, Cancel))));
        await Task.WhenAny(all, counter.Reached);
        if (happen is not null) await happen();
        await all;
    }

    /// <summary>Devices follow all documents, at one node until that fails and then at another one.</summary>
    /// <returns>What completes when all have begun; in it what completes when all hold what is in all outboxes now.</returns>
    public async Task<Task> FollowAsync(ServerNode node, ServerNode next) =>
        Task.WhenAll(await Task.WhenAll(_documents.Select(document => document.FollowAsync(node.GrpcUrl, next.GrpcUrl, Server, Cancel))));

    /// <summary>Checks everything against what a node has.</summary>
    /// <param name="node">The node.</param>
    /// <param name="fromTheStart">Reads also again what was checked earlier.</param>
    public async Task CheckAsync(ServerNode node, bool fromTheStart = false)
    {
        await using var connection = Connect(node);
        foreach (var document in _documents)
        {
            await document.CheckAsync(connection, Cancel);
            if (fromTheStart) await document.CheckFromTheStartAsync(connection, Cancel);
        }
    }

    public void Dispose()
    {
        _writers.ForEach(writer => writer.Dispose());
        _owner.Dispose();
        _kem.Dispose();
    }

    private CloudpeerConnection Connect(ServerNode node) => new(node.GrpcUrl, Server, _owner, SystemEntropy.Instance, TimeProvider.System);

    /// <summary>Counts receipts until there are enough.</summary>
    private sealed class Countdown(Load load, int after)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        public Task Reached => _reached.Task;

        public void Receive()
        {
            Interlocked.Increment(ref load._receipts);
            if (Interlocked.Increment(ref _count) >= after) _reached.TrySetResult();
        }
    }
}
