using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using CloudPeer.Sync.Wire;
using Grpc.Core;
using Tlfs.Core;
using Xunit;

namespace CloudPeer.Api.Tests.Server;

/// <summary>gRPC by hand, for requests that no client library sends.</summary>
internal sealed class RawCall : IDisposable
{
    private readonly HttpClient _http;
    private readonly TestDevice? _device;

    public RawCall(TestServer server, TestDevice? device)
    {
        _device = device;
        _http = new() { BaseAddress = new(server.GrpcUrl) };
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A message as it stands in a call: a flag, its length, its bytes.</summary>
    /// <param name="message">The bytes.</param>
    /// <param name="compressed">The flag.</param>
    /// <param name="declared">The length that is claimed; null for the true one.</param>
    public static byte[] Frame(ReadOnlySpan<byte> message, bool compressed = false, uint? declared = null)
    {
        var frame = new byte[5 + message.Length];
        frame[0] = compressed ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), declared ?? (uint)message.Length);
        message.CopyTo(frame.AsSpan(5));
        return frame;
    }

    /// <summary>Makes a call and says how it ended; null if it succeeded.</summary>
    /// <param name="method">Such as <c>/cloudpeer.v1.Sync/Push</c>.</param>
    /// <param name="body">All frames.</param>
    /// <param name="headers">More headers.</param>
    public async Task<RpcException?> CallAsync(string method, byte[] body, params (string Name, string Value)[] headers)
    {
        using var content = new ByteArrayContent(body);
        using var request = Request(method, content);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancel);
        await response.Content.ReadAsByteArrayAsync(Cancel);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var status = (StatusCode)int.Parse(Value(response, "grpc-status") ?? "2", System.Globalization.CultureInfo.InvariantCulture);
        if (status == StatusCode.OK) return null;
        var trailers = new Metadata();
        if (Value(response, "grpc-status-details-bin") is { } details) trailers.Add("grpc-status-details-bin", Decode(details));
        return new(new(status, Uri.UnescapeDataString(Value(response, "grpc-message") ?? "")), trailers);
    }

    /// <summary>Begins a call and never ends it; returns when the server was sent the bytes.</summary>
    public async Task<IAsyncDisposable> BeginAsync(string method, byte[] bytes)
    {
        var call = new Unfinished(_http, bytes, body => Request(method, body));
        await call.StartAsync(Cancel);
        return call;
    }

    /// <summary>The same, with the reason of the refusal; null if it succeeded.</summary>
    public async Task<Reason?> ReasonAsync(string method, byte[] body, params (string Name, string Value)[] headers) =>
        await CallAsync(method, body, headers) is { } failure ? Refusals.FromRpc(failure).Reason : null;

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Request(string method, HttpContent content)
    {
        content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        var request = new HttpRequestMessage(HttpMethod.Post, method)
        {
            Content = content,
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TE.Add(new("trailers"));
        if (_device is not null) request.Headers.TryAddWithoutValidation("authorization", "Bearer " + _device.Session.Token);
        return request;
    }

    private static string? Value(HttpResponseMessage response, string name) =>
        response.TrailingHeaders.TryGetValues(name, out var trailing) ? trailing.Single()
        : response.Headers.TryGetValues(name, out var leading) ? leading.Single() : null;

    private static byte[] Decode(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));

    private sealed class Unfinished(HttpClient http, byte[] bytes, Func<HttpContent, HttpRequestMessage> request) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _ending = new();
        private readonly Half _body = new(bytes);
        private HttpRequestMessage? _request;
        private Task _answer = Task.CompletedTask;

        public async Task StartAsync(CancellationToken cancellationToken)
        {
            _request = request(_body);
            _answer = http.SendAsync(_request, HttpCompletionOption.ResponseHeadersRead, _ending.Token);
            await _body.Sent.WaitAsync(cancellationToken);
        }

        public async ValueTask DisposeAsync()
        {
            await _ending.CancelAsync();
            await _answer.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            _request?.Dispose();
            _body.Dispose();
            _ending.Dispose();
        }
    }

    // A body of which the rest never comes.
    private sealed class Half(byte[] bytes) : HttpContent
    {
        private readonly TaskCompletionSource _sent = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource _rest = new();

        public Task Sent => _sent.Task;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(bytes, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            _sent.TrySetResult();
            await _rest.Task.WaitAsync(cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
