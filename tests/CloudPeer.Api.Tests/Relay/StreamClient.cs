using CloudPeer.Api.Tests.Server;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Tlfs.Core.Ids;
using Xunit;

namespace CloudPeer.Api.Tests.Relay;

/// <summary>One end of a <c>Sync.Stream</c>.</summary>
internal sealed class StreamClient(TestDevice device) : IAsyncDisposable
{
    private readonly AsyncDuplexStreamingCall<V1.ClientFrame, V1.ServerFrame> _call = device.Sync.Stream(device.Options);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Task SendAsync(V1.ClientFrame frame) => _call.RequestStream.WriteAsync(frame, Cancel);

    public Task SubscribeAsync(ulong request, DocId document, ulong from, bool omitOwn = false) =>
        SendAsync(new() { Request = request, Subscribe = new() { Document = document.ToWire(), From = from, OmitOwn = omitOwn } });

    public async Task<V1.ServerFrame> NextAsync()
    {
        Assert.True(await _call.ResponseStream.MoveNext(Cancel), "the server ended the stream");
        return _call.ResponseStream.Current;
    }

    /// <summary>Ends the stream and returns what the server still sent.</summary>
    public async Task<List<V1.ServerFrame>> CompleteAsync()
    {
        await _call.RequestStream.CompleteAsync();
        var rest = new List<V1.ServerFrame>();
        while (await _call.ResponseStream.MoveNext(Cancel)) rest.Add(_call.ResponseStream.Current);
        return rest;
    }

    public ValueTask DisposeAsync()
    {
        _call.Dispose();
        return ValueTask.CompletedTask;
    }
}
