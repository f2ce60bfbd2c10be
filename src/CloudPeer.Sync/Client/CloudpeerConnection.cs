using System.Runtime.CompilerServices;
using CloudPeer.Sync.Sessions;
using CloudPeer.Sync.Wire;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Sealing;

namespace CloudPeer.Sync.Client;

/// <summary>
/// A device's connection to one server, whose id is pinned. The session (docs/protocol/session.md) is opened with the first call and renewed by
/// itself. Every failure is a <see cref="TlfsException"/>; the server's own refusals keep their reasons. Safe for concurrent use.
/// </summary>
public sealed partial class CloudpeerConnection : IAsyncDisposable
{
    private const int FrameBytes = 5 << 20;
    private const int MaxLimits = 256;
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan CallLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan PullLimit = TimeSpan.FromMinutes(5);

    // A line that is slower than this, in bytes a second, is as good as none.
    private const int SlowestLine = 8 << 10;

    // What can be acknowledged at once (docs/protocol/sync.md §4.4), which is all that an honest server keeps.
    private const int MaxMessages = 220;

    private readonly SigningKey _device;
    private readonly IEntropy _entropy;
    private readonly TimeProvider _time;
    private readonly GrpcChannel _channel;
    private readonly SessionKeeper _session;
    private readonly V1.Sync.SyncClient _sync;
    private readonly V1.Inbox.InboxClient _inbox;
    private readonly V1.Account.AccountClient _account;
    private readonly V1.Keys.KeysClient _keys;

    /// <summary>A connection; nothing is sent yet.</summary>
    /// <param name="grpcUrl">Where the server's services are.</param>
    /// <param name="server">The server's id; another server is refused with <c>wrong-server</c>.</param>
    /// <param name="device">The device's key; the caller keeps and disposes it.</param>
    /// <param name="entropy">Makes nonces.</param>
    /// <param name="time">The clock of signatures.</param>
    public CloudpeerConnection(string grpcUrl, PeerId server, SigningKey device, IEntropy entropy, TimeProvider time)
    {
        Server = server;
        _device = device;
        _entropy = entropy;
        _time = time;
        _channel = GrpcChannel.ForAddress(grpcUrl, new()
        {
            HttpHandler = new SocketsHttpHandler
            {
                ConnectTimeout = ConnectLimit,
                EnableMultipleHttp2Connections = true,
                KeepAlivePingDelay = TimeSpan.FromSeconds(30),
                KeepAlivePingTimeout = TimeSpan.FromSeconds(15),
            },
            DisposeHttpClient = true,
            MaxReceiveMessageSize = FrameBytes,
            MaxSendMessageSize = FrameBytes,
        });
        _session = new(OpenSessionAsync, time);
        _sync = new(_channel);
        _inbox = new(_channel);
        _account = new(_channel);
        _keys = new(_channel);
    }

    /// <summary>The pinned server.</summary>
    public PeerId Server { get; }

    /// <summary>The app that pushes: new documents count to its budget (docs/protocol/sync.md §6.2). Empty for none.</summary>
    public string App { get; init; } = string.Empty;

    /// <summary>Opens the session, if none is open: both ends prove their keys.</summary>
    /// <exception cref="TlfsException"><c>wrong-server</c>, <c>unreachable</c>, …</exception>
    public async Task OpenAsync(CancellationToken cancellationToken) => await _session.GetAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Pushes bundles of one document (docs/protocol/sync.md §2); receipts are verified.</summary>
    /// <param name="document">The document.</param>
    /// <param name="bundles">What is accepted together or not at all.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <param name="ifCurrent">The bundles, by their places, whose zones must have seen every statement that the server holds.</param>
    /// <param name="statements">What shows that the server may hold the document, although its log does not say so yet (docs/protocol/sync.md §1.2).</param>
    /// <returns>One result for each bundle, in their order.</returns>
    public async Task<IReadOnlyList<PushResult>> PushAsync(
        DocId document, IReadOnlyList<IReadOnlyList<Envelope>> bundles, CancellationToken cancellationToken, IReadOnlySet<int>? ifCurrent = null,
        IReadOnlyList<Envelope>? statements = null)
    {
        var request = PushRequest(document, bundles, ifCurrent, App, statements);
        var response = await CallAsync(options => _sync.PushAsync(request, options), cancellationToken, PushLimit(request)).ConfigureAwait(false);
        return PushResult.Read(response, Server, document, bundles);
    }

    /// <summary>Reads a piece of a document's log; if that reaches its end, the last page carries the head.</summary>
    /// <param name="document">The document.</param>
    /// <param name="wanted">The piece.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async IAsyncEnumerable<PulledPage> PullAsync(
        DocId document, PullOptions wanted, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var request = new V1.PullRequest
        {
            Document = document.ToWire(),
            From = wanted.From,
            Until = wanted.Until,
            OmitOwn = wanted.OmitOwn,
            HeadersOnly = wanted.HeadersOnly,
        };
        var options = await OptionsAsync(PullLimit, cancellationToken).ConfigureAwait(false);
        using var call = _sync.Pull(request, options);
        var next = wanted.From;
        while (await NextAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false) is { } message)
        {
            if (message.ItemCase == V1.PullResponse.ItemOneofCase.CaughtUp)
            {
                yield return PulledPage.Read(next, message.CaughtUp);
                yield break;
            }

            if (message.ItemCase == V1.PullResponse.ItemOneofCase.Generation)
            {
                yield return PulledPage.Read(next, message.Generation);
                continue;
            }

            var page = PulledPage.Read(document, next, message.Entries ?? new());
            next += (ulong)page.Entries.Count;
            yield return page;
        }

        if (wanted.Until == 0 || next < wanted.Until) throw new TlfsException(Reason.Unavailable, "the server ended a pull before its end");
    }

    /// <summary>Opens a stream for subscriptions and pushes.</summary>
    /// <param name="cancellationToken">Cancels, also the stream once it is open: its events end then with an <see cref="OperationCanceledException"/>.</param>
    public async Task<LiveConnection> StreamAsync(CancellationToken cancellationToken)
    {
        var options = await OptionsAsync(null, cancellationToken).ConfigureAwait(false);
        return new(_sync.Stream(options), Server, App, _time, cancellationToken);
    }

    /// <summary>Sends a sealed message to the inbox of its recipient, who has a card here.</summary>
    /// <param name="message">The message.</param>
    /// <param name="token">The recipient's delivery token; null as a stranger.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="TlfsException"><c>not-found</c>, <c>inbox-full</c>, <c>rate-limited</c>, …</exception>
    public async Task SendAsync(ReadOnlyMemory<byte> message, DeliveryToken? token, CancellationToken cancellationToken)
    {
        var request = new V1.SendRequest { Message = message.ToWire(), Token = token is null ? ByteString.Empty : ByteString.CopyFrom(token.Bytes) };
        await CallAsync(options => _inbox.SendAsync(request, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Says what this account's contacts present from now on; signed, because it shuts out whoever has another token.</summary>
    public async Task SetDeliveryTokenAsync(DeliveryToken token, CancellationToken cancellationToken)
    {
        var request = InboxCalls.SetDeliveryToken(_device, Server, token, _time.Micros());
        await CallAsync(options => _inbox.SetDeliveryTokenAsync(request, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The messages that wait for this account, oldest first; at most as many as can be acknowledged at once.</summary>
    public async Task<IReadOnlyList<InboxEntry>> ReceiveAsync(CancellationToken cancellationToken)
    {
        var options = await OptionsAsync(CallLimit, cancellationToken).ConfigureAwait(false);
        using var call = _inbox.Receive(new(), options);
        var messages = new List<InboxEntry>();
        for (var read = 0; read < MaxMessages && await NextAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false) is { } message; read++)
        {
            if (message.Message.Length <= Limits.MessageBytes) messages.Add(new(WireIds.Read<MessageId>(message.Id, "message"), message.Message.Memory));
        }

        return messages;
    }

    /// <summary>Deletes messages from the inbox; signed, because it destroys.</summary>
    public async Task AcknowledgeAsync(IReadOnlyCollection<MessageId> messages, CancellationToken cancellationToken)
    {
        var request = InboxCalls.Ack(_device, Server, messages, _time.Micros());
        await CallAsync(options => _inbox.AckAsync(request, options), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The verified card of an account, or null if it is not known there.</summary>
    public Task<AccountCard?> FindCardAsync(AccountId account, CancellationToken cancellationToken) =>
        FindCardAsync(new V1.GetCardRequest { Account = account.ToWire() }, card => card.Account == account, cancellationToken);

    /// <summary>The verified card of the account to which a device belongs, or null if it is not known there.</summary>
    public Task<AccountCard?> FindCardAsync(PeerId device, CancellationToken cancellationToken) =>
        FindCardAsync(new V1.GetCardRequest { Peer = device.ToWire() }, card => card.Device == device, cancellationToken);

    /// <summary>Registers this device's account, or updates its card.</summary>
    /// <exception cref="TlfsException"><c>registration-closed</c>, …</exception>
    public async Task<Entitlement> CreateAccountAsync(AccountCard card, string? app, CancellationToken cancellationToken)
    {
        var request = new V1.CreateAccountRequest { Card = card.Bytes.ToWire(), AppId = app ?? string.Empty };
        return Read(await CallAsync(options => _account.CreateAsync(request, options), cancellationToken).ConfigureAwait(false));
    }

    /// <summary>What fills this account's storage there: the largest documents first.</summary>
    /// <param name="max">How many.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="TlfsException"><c>not-found</c> without an account there, …</exception>
    public async Task<IReadOnlyList<StoredDocument>> GetUsageAsync(int max, CancellationToken cancellationToken)
    {
        var options = await OptionsAsync(CallLimit, cancellationToken).ConfigureAwait(false);
        using var call = _account.GetUsage(new(), options);
        var documents = new List<StoredDocument>();
        while (documents.Count < max && await NextAsync(call.ResponseStream, cancellationToken).ConfigureAwait(false) is { } use)
            documents.Add(new(WireIds.Read<DocId>(use.Document, "document"), use.StoredBytes, use.Envelopes, use.AppId));
        return documents;
    }

    /// <summary>Bounds what the documents of one app may fill of this account's storage there; 0 ends that.</summary>
    public async Task<Entitlement> SetAppBudgetAsync(string app, ulong limitBytes, CancellationToken cancellationToken) => Read(await CallAsync(
        options => _account.SetAppBudgetAsync(new() { AppId = app, LimitBytes = limitBytes }, options), cancellationToken).ConfigureAwait(false));

    /// <summary>Ends the hosting of a document there (docs/protocol/sync.md §6.4); signed, because it destroys.</summary>
    /// <returns>The bytes that this account has got back.</returns>
    /// <exception cref="TlfsException"><c>not-found</c>: it is not there, or this account does not host it, or may not control it.</exception>
    public async Task<ulong> DeleteDocumentAsync(DocId document, CancellationToken cancellationToken)
    {
        var micros = _time.Micros();
        var signature = SignedRequest.Sign(_device, Server, SignedRequest.DeleteDocument, micros, SignedRequest.DocumentBytes(document));
        var request = new V1.DeleteDocumentRequest { Document = document.ToWire(), Micros = micros, Signature = UnsafeByteOperations.UnsafeWrap(signature) };
        return (await CallAsync(options => _sync.DeleteDocumentAsync(request, options), cancellationToken).ConfigureAwait(false)).FreedBytes;
    }

    /// <summary>What this account may use and does use.</summary>
    public async Task<Entitlement> GetEntitlementAsync(CancellationToken cancellationToken) =>
        Read(await CallAsync(options => _account.GetEntitlementAsync(new(), options), cancellationToken).ConfigureAwait(false));

    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        _session.Dispose();
        _channel.Dispose();
        return ValueTask.CompletedTask;
    }

    internal static V1.PushRequest PushRequest(
        DocId document, IReadOnlyList<IReadOnlyList<Envelope>> bundles, IReadOnlySet<int>? ifCurrent, string app, IReadOnlyList<Envelope>? statements)
    {
        var request = new V1.PushRequest { Document = document.ToWire(), AppId = app };
        request.Bundles.AddRange(bundles.Select((bundle, i) => new V1.Bundle { Envelopes = { bundle.Select(envelope => envelope.Bytes.ToWire()) }, IfCurrent = ifCurrent?.Contains(i) == true }));
        request.Statements.AddRange((statements ?? []).Select(statement => statement.Bytes.ToWire()));
        return request;
    }

    /// <summary>How long a push may take: a large one takes its time on a slow line, and what was cut off is sent again from its beginning.</summary>
    internal static TimeSpan PushLimit(V1.PushRequest request) => CallLimit + TimeSpan.FromSeconds(request.CalculateSize() / SlowestLine);

    /// <summary>What a failed call means for the caller; the call's details stay reachable as the inner exception.</summary>
    internal static Exception Explain(RpcException failure, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return new OperationCanceledException("the call was cancelled", failure, cancellationToken);
        var refusal = Refusals.FromRpc(failure);
        return new TlfsException(refusal.Reason, refusal.Message, failure) { RetryAfter = refusal.RetryAfter };
    }

    private async Task<AccountCard?> FindCardAsync(V1.GetCardRequest request, Func<AccountCard, bool> isAsked, CancellationToken cancellationToken)
    {
        try
        {
            var response = await CallAsync(options => _keys.GetCardAsync(request, options), cancellationToken).ConfigureAwait(false);
            return AccountCard.TryDecode(response.Card.Memory, out var card, out _) && isAsked(card)
                ? card
                : throw new TlfsException(Reason.BadSignature, "the server's answer is not the card of that account");
        }
        catch (TlfsException e) when (e.Reason == Reason.NotFound)
        {
            return null;
        }
    }

    private async Task<T> CallAsync<T>(Func<CallOptions, AsyncUnaryCall<T>> start, CancellationToken cancellationToken, TimeSpan? limit = null)
    {
        for (var renewed = false; ; renewed = true)
        {
            var options = await OptionsAsync(limit ?? CallLimit, cancellationToken).ConfigureAwait(false);
            try
            {
                using var call = start(options);
                return await call.ResponseAsync.ConfigureAwait(false);
            }
            catch (RpcException e) when (!renewed && e.StatusCode == StatusCode.Unauthenticated)
            {
                _session.Forget();
            }
            catch (RpcException e)
            {
                throw Explain(e, cancellationToken);
            }
        }
    }

    private async Task<T?> NextAsync<T>(IAsyncStreamReader<T> stream, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await stream.MoveNext(cancellationToken).ConfigureAwait(false) ? stream.Current : null;
        }
        catch (RpcException e)
        {
            if (e.StatusCode == StatusCode.Unauthenticated) _session.Forget();
            throw Explain(e, cancellationToken);
        }
    }

    private async Task<CallOptions> OptionsAsync(TimeSpan? limit, CancellationToken cancellationToken)
    {
        var session = await _session.GetAsync(cancellationToken).ConfigureAwait(false);
        return new(session.Metadata, Deadline(limit), cancellationToken);
    }

    private async Task<ClientSession> OpenSessionAsync(CancellationToken cancellationToken)
    {
        try
        {
            var client = new V1.Session.SessionClient(_channel);
            return await SessionCalls.OpenAsync(client, _device, Server, _entropy, _time, new(deadline: Deadline(CallLimit), cancellationToken: cancellationToken)).ConfigureAwait(false);
        }
        catch (RpcException e)
        {
            throw Explain(e, cancellationToken);
        }
    }

    // The network runs by the real clock, whatever clock signs.
    private static DateTime? Deadline(TimeSpan? limit) => limit is { } span ? TimeProvider.System.GetUtcNow().UtcDateTime + span : null;

    private static Entitlement Read(V1.Entitlement entitlement) => new(
        WireIds.Read<AccountId>(entitlement.Account, "account"),
        entitlement.Plan,
        entitlement.QuotaBytes,
        entitlement.UsedBytes,
        entitlement.SignUpUrl.Length > 0 ? entitlement.SignUpUrl : null)
    {
        State = entitlement.State,
        Limits = [.. entitlement.Limits.Take(MaxLimits).Select(limit => new PlanLimit(limit.Resource, limit.AppId, limit.Limit, limit.Used))],
    };
}
