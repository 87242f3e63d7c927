import argparse
import json
import sys

from . import routes


def main():
    args = argparse.ArgumentParser(description='the routes JSON, from the specification')
    args.add_argument('--zone', required=True)
    args.add_argument('--mesh', default='default')
    args.add_argument('files', nargs='+')
    args = args.parse_args()
    text = '\n---\n'.join(open(name, encoding='utf-8').read() for name in args.files)
    json.dump(routes(text, args.zone, args.mesh), sys.stdout, indent=2, default=str)
    print()


main()
