using CloudPeer.Browser.Tests.Support;
using CloudPeer.Sync.Wire;
using CloudPeer.TestKit;
using Grpc.Core;
using Grpc.Net.Client;
using Microsoft.Playwright;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

[assembly: AssemblyFixture(typeof(Scene))]

namespace CloudPeer.Browser.Tests.Support;

/// <summary>A real server, an app's site, a browser, and Alice, who hosts documents at the server from a device without a browser.</summary>
public sealed class Scene : IAsyncLifetime
{
    private readonly TempFolder _data = new("server");
    private readonly SigningKey _alice = SigningKey.Generate(SystemEntropy.Instance);
    private readonly KemKey _kem = KemKey.Generate(SystemEntropy.Instance);
    private ServerProcess? _server;
    private GrpcChannel? _channel;
    private ClientSession? _session;
    private AppSite? _site;
    private Chromium? _chromium;

    /// <summary>The server's address as people type it.</summary>
    public string ServerUrl { get; private set; } = "";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private CallOptions Options => new(_session!.Metadata, cancellationToken: Cancel);

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _site = await AppSite.StartAsync(Cancel);
        var spec = ProcessSpec.Dotnet(RepositoryRoot.BuiltAssembly("src/CloudPeer.Api"))
            .With("CLOUDPEER_DATA_DIR", _data.File("data")).With("CLOUDPEER_HTTP_PORT", "0").With("CLOUDPEER_GRPC_PORT", "0");
        _server = ServerProcess.Start(spec with { WorkingDirectory = _data.Path });
        _chromium = await Chromium.StartAsync();
        var ready = await _server.WaitForLineAsync(@"^cloudpeer ready http=(?<http>\S+) grpc=(?<grpc>\S+) peer=(?<peer>\S+)$", Cancel);
        ServerUrl = ready.Groups["http"].Value;
        _channel = GrpcChannel.ForAddress(ready.Groups["grpc"].Value);
        var server = Peer(ready.Groups["peer"].Value);
        _session = await SessionCalls.OpenAsync(new(_channel), _alice, server, SystemEntropy.Instance, TimeProvider.System, new(cancellationToken: Cancel));
        await new V1.Account.AccountClient(_channel).CreateAsync(new() { Card = AccountCards.Make(SystemEntropy.Instance, _alice, _kem).Bytes.ToWire() }, Options);
    }

    /// <summary>Opens the app and lets it find the server; answers the page and its device.</summary>
    public async Task<(IPage Page, PeerId Device)> OpenAppAsync()
    {
        var page = await _chromium!.OpenAsync(_site!.Url);
        var found = await page.EvaluateAsync<Found>("url => app.discover(url)", ServerUrl);
        Assert.Equal(_session!.Server.ToString(), found.Announced);
        Assert.Equal(found.Announced, found.Answered);
        return (page, Peer(found.Device));
    }

    /// <summary>A document of Alice's at the server, in which a device may do this.</summary>
    public async Task<DocumentBuilder> ShareAsync(PeerId device, Permission permission)
    {
        var document = new DocumentBuilder(SystemEntropy.Instance, _alice);
        document.NextGrant(_alice, _session!.Server, Permission.Sync);
        document.NextGrant(_alice, device, permission);
        await PushAsync(document.Id, document.Envelopes);
        return document;
    }

    /// <summary>Alice's next change, not sent yet.</summary>
    public Envelope NextDelta(DocumentBuilder document) => document.NextDelta(_alice);

    /// <summary>Alice takes the device's right away again.</summary>
    public Envelope NextRevoke(DocumentBuilder document, PeerId device) => document.NextRevoke(_alice, device);

    /// <summary>Sends envelopes as Alice.</summary>
    public async Task PushAsync(DocId document, params IEnumerable<Envelope> envelopes)
    {
        var request = new V1.PushRequest { Document = document.ToWire(), Bundles = { new V1.Bundle { Envelopes = { envelopes.Select(envelope => envelope.Bytes.ToWire()) } } } };
        var response = await new V1.Sync.SyncClient(_channel).PushAsync(request, Options);
        Assert.Null(Assert.Single(response.Results).Refusal);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_chromium is not null) await _chromium.DisposeAsync();
        _channel?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
        if (_site is not null) await _site.DisposeAsync();
        _alice.Dispose();
        _kem.Dispose();
        _data.Dispose();
    }

    private static PeerId Peer(string text)
    {
        Assert.True(Id.TryParse<PeerId>(text, out var peer), text);
        return peer;
    }

    private sealed record Found
    {
        public required string Announced { get; init; }

        public required string Answered { get; init; }

        public required string Device { get; init; }
    }
}
